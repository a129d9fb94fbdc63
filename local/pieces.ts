import { join } from 'node:path';
import { childEnvironment, type Config } from '../src/kernel/config.js';
import { type ChildRun, childPiece } from './child.js';
import type { DemoKeys } from './demo-keys.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import type { Piece } from './supervisor.js';

/** The application's database, and the sandbox's on the same server. */
export const applicationDatabase = 'holdfast';
const sandboxDatabase = 'holdfast_sandbox';

/** Where this checkout keeps what it makes for itself. */
export const demoKeysFile = join('.holdfast', 'demo-keys.json');

/** The embedded PostgreSQL with both databases. It stops only when it is asked to, so its start is not cut short. */
export function databasePiece(config: Config): Piece<EmbeddedPostgres> {
  const databases = [applicationDatabase, sandboxDatabase];
  const options = { directory: config.embeddedDirectory, port: config.embeddedPort, databases };
  return { name: 'The database', start: () => startEmbeddedPostgres(options) };
}

/** The provider sandbox, configured by the environment alone. */
export function sandboxPiece(): Piece<ChildRun> {
  return childPiece('The provider sandbox', new URL('../sandbox/main.js', import.meta.url), childEnvironment({}));
}

/** The API, which migrates its database itself. Only it learns the demo keys. */
export function apiPiece(keys: Partial<DemoKeys>): Piece<ChildRun> {
  return childPiece('The API', new URL('../src/main.js', import.meta.url), childEnvironment(keys));
}

/** Whether the provider that the API will call is the sandbox that we would start. */
export function needsSandbox(config: Config): boolean {
  const { hostname, port, protocol } = new URL(config.providerUrl);
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  const providerPort = Number(port || (protocol === 'https:' ? 443 : 80));
  return config.provider === 'sandbox' && isHere && providerPort === config.sandboxPort;
}
