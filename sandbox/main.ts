import { pino } from 'pino';
import { readConfig } from '../src/kernel/config.js';
import { buildSandbox, type Sandbox } from './sandbox.js';
import type { WebhookTarget } from './webhooks.js';

const config = readConfig();
const log = pino({ name: 'sandbox', level: config.logLevel });
let sandbox: Sandbox | undefined;
let stopping = false;

for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.on(event, () => void stop());
// The parent may have died before this line; `connected` doesn't exist where there never was a channel.
if ('connected' in process && !process.connected) await stop();

try {
  const webhook = webhookTarget();
  sandbox = await buildSandbox({ databaseUrl: config.sandboxDatabaseUrl, log, ...(webhook && { webhook }) });
  const url = await sandbox.listen(config.sandboxPort, config.host);
  log.info(`sandbox listening on ${url}`);
  // With a callback a parent that has just gone is no uncaught error.
  if (process.connected) process.send?.({ ready: { url } }, undefined, undefined, () => undefined);
} catch (error) {
  fail(1, explain(error));
}

function webhookTarget(): WebhookTarget | undefined {
  const { providerWebhookUrl: url, providerWebhookSecret: secret } = config;
  if (url && !secret) fail(78, 'PROVIDER_WEBHOOK_SECRET: must be set when PROVIDER_WEBHOOK_URL is, for the sandbox signs what it sends.');
  return url && secret ? { url, secret } : undefined;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return `Port ${config.sandboxPort} is already in use: set SANDBOX_PORT to a free one.`;
  if (code === 'EACCES') return `Port ${config.sandboxPort} may not be used by this user: set SANDBOX_PORT to another one.`;
  return error.message;
}

function fail(code: number, sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(code);
}

/** While it still waits for its database there is nothing to put in order. */
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(1), 8_000).unref();
  await sandbox?.close();
  process.exit(0);
}
