import { once } from 'node:events';
import { connect } from 'node:net';

/** A POST as a client keeps it, to send it again unchanged. */
export interface Wish {
  path: string;
  key: string;
  body: object;
}

/** What came back, and after how many milliseconds. */
export interface Answer {
  status: number;
  headers: Headers;
  // Bodies of responses have many shapes.
  body: Record<string, unknown>;
  took: number;
}

/** Somebody with an API key and a connection that isn't always good. */
export class Customer {
  constructor(
    private readonly url: string,
    private readonly apiKey: string,
  ) {}

  /** Rejects where the connection breaks before there is an answer. */
  async send({ path, key, body }: Wish, headers: Record<string, string> = {}): Promise<Answer> {
    const began = performance.now();
    const response = await fetch(this.url + path, {
      method: 'POST',
      headers: { ...this.headers(key), ...headers },
      body: JSON.stringify(body),
    });
    const parsed = (await response.json()) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, body: parsed, took: performance.now() - began };
  }

  /** Sends it and never reads: once `done` has what it waits for, the connection is cut. Returns what `done` has. */
  async sendAndHangUp<T>({ path, key, body }: Wish, done: () => Promise<T>): Promise<T> {
    const { hostname, port, host } = new URL(this.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const text = JSON.stringify(body);
    const headers = { host, ...this.headers(key), 'content-length': Buffer.byteLength(text) };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.write([`POST ${path} HTTP/1.1`, ...lines, '', text].join('\r\n'));
    try {
      return await done();
    } finally {
      socket.resetAndDestroy();
    }
  }

  private headers(key: string): Record<string, string> {
    return { authorization: `Bearer ${this.apiKey}`, 'content-type': 'application/json', 'idempotency-key': key };
  }
}
