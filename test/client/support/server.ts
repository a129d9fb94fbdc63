import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a server got it. */
export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** On the monotonic clock, in milliseconds. */
  at: number;
}

/** What a server does with a request: answers it, or with `cut` and `silence` doesn't. */
export type Reaction =
  | { status: number; headers?: Record<string, string>; body?: unknown; text?: string }
  | 'cut'
  | 'silence'
  | ((received: Received) => Reaction | Promise<Reaction>);

/** A server that reacts to the first request with the first reaction, and so on; to all behind them with the last. */
export interface ScriptedServer {
  url: string;
  received: Received[];
  /** Resolves with the `count`th request, counted from 1. */
  request(count: number): Promise<Received>;
  close(): Promise<void>;
}

export async function scriptedServer(...script: Reaction[]): Promise<ScriptedServer> {
  const received: Received[] = [];
  const waiting: { count: number; resolve: (received: Received) => void }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url: path = '', headers } = request;
    const one: Received = { method, path, headers, body: Buffer.concat(chunks).toString(), at: performance.now() };
    const reaction = script[Math.min(received.length, script.length - 1)] ?? 'silence';
    received.push(one);
    for (const { count, resolve } of waiting) if (count === received.length) resolve(one);
    await react(response, one, reaction);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    request: (count) =>
      new Promise((resolve) => {
        const one = received[count - 1];
        if (one) resolve(one);
        else waiting.push({ count, resolve });
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function react(response: ServerResponse, received: Received, reaction: Reaction): Promise<void> {
  if (reaction === 'silence') return;
  if (reaction === 'cut') return void response.destroy();
  if (typeof reaction === 'function') return react(response, received, await reaction(received));
  const { status, headers, body, text } = reaction;
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  response.writeHead(status, { ...json, ...headers }).end(text ?? (body === undefined ? '' : JSON.stringify(body)));
}

/** A refusal with a verdict. */
export function problem(
  status: number,
  code: string,
  retry: string,
  more: Record<string, unknown> = {},
): { status: number; headers: Record<string, string>; body: unknown } {
  const again: Record<string, string> = retry === 'same-key' ? { 'retry-after': '0' } : {};
  return { status, headers: { 'content-type': 'application/problem+json', ...again }, body: { code, status, retry, title: code, ...more } };
}
