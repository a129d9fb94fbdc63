import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

/** A server of pages that run a script of this folder; of localhost, so that they are secure and have Web Locks. */
export interface PageServer {
  url: string;
  close(): Promise<void>;
}

/** Serves an empty page with a script, which is bundled with everything that it imports. */
export async function servePage(script: string): Promise<PageServer> {
  const { outputFiles } = buildSync({
    entryPoints: [join(__dirname, script)],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    write: false,
  });
  const code = outputFiles[0]?.text ?? '';
  const server = createServer((request, response) => {
    const isPage = request.url === '/';
    response.setHeader('content-type', isPage ? 'text/html' : 'text/javascript');
    response.end(isPage ? '<!doctype html><script src="/script.js"></script>' : code);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
