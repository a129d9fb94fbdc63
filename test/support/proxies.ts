import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../local/embedded-postgres.js';
import { readRepositoryFile } from './compose.js';
import { pathOf, whyMissing, type Program } from './debian.js';
import { eventually } from './eventually.js';

/** A proxy that this repository has a configuration of. */
interface ProxyKind {
  program: Program;
  /** The configuration, in the repository. */
  file: string;
  /** Where it listens, as the configuration says it. */
  listens: string;
  command: (settings: string, directory: string) => string[];
}

/** A replica as the proxy reaches it: its host in the configuration, and the ports that it has here. */
export interface Upstream {
  host: string;
  port: number;
  internalPort: number;
}

/** A running proxy. */
export interface RunningProxy {
  url: string;
  stop(): Promise<void>;
}

export const PROXIES: Record<'HAProxy' | 'nginx', ProxyKind> = {
  HAProxy: {
    program: { name: 'HAProxy', places: ['/usr/sbin/haproxy', '/usr/local/sbin/haproxy'], packages: 'haproxy', variable: 'HAPROXY' },
    file: 'ops/haproxy.cfg',
    listens: 'bind :3000',
    command: (settings) => ['-db', '-f', settings],
  },
  nginx: {
    program: { name: 'nginx', places: ['/usr/sbin/nginx', '/usr/local/sbin/nginx'], packages: 'nginx', variable: 'NGINX' },
    file: 'ops/nginx.conf',
    listens: 'listen 3000',
    command: (settings, directory) => {
      const own = `daemon off; pid ${join(directory, 'pid')}; ${process.getuid?.() === 0 ? 'user root;' : ''}`;
      return ['-c', settings, '-e', 'stderr', '-g', own];
    },
  },
};

/** Why a proxy can't be tried here, or null. */
export function whyNoProxy(name: keyof typeof PROXIES): string | null {
  return whyMissing(PROXIES[name].program);
}

/** Runs a proxy with the repository's configuration, in which nothing but addresses is changed; resolves when it leads to a replica. */
export async function startProxy(name: keyof typeof PROXIES, upstreams: readonly Upstream[]): Promise<RunningProxy> {
  const { program, file, listens, command } = PROXIES[name];
  const [directory, port] = [mkdtempSync(join(tmpdir(), 'holdfast-proxy-')), await freePort()];
  let text = readRepositoryFile(file).replace(listens, listens.replace(/:?3000/, `127.0.0.1:${port}`));
  for (const { host, port: own, internalPort } of upstreams) {
    text = text.replaceAll(`${host}:3000`, `127.0.0.1:${own}`).replaceAll(`${host}:3001`, `127.0.0.1:${internalPort}`);
  }
  // Debian's nginx would write where only root may.
  text = text.replace(
    'http {',
    `http { access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${join(directory, kind)};`).join(' ')}`,
  );
  const settings = join(directory, 'settings');
  writeFileSync(settings, text);
  const child = spawn(pathOf(program) ?? program.name, command(settings, directory), { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  const leads = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
    return (await fetch(`${url}/health/live`).catch(() => undefined))?.status === 200;
  };
  await eventually(`${name} to lead to a replica`, leads).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { url, stop };
}
