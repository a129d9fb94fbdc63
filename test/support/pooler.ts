import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What stands between a client and PostgreSQL. */
export interface Pooler {
  /** The database's URL by way of it. */
  url: string;
  close(): Promise<void>;
}

/**
 * Greets as poolers do: with a process number of its own, where a server sends that of the backend (PostgreSQL manual, section
 * 54.2.1, BackendKeyData). For the rest each client has a session to itself.
 */
export async function startPooler(databaseUrl: string): Promise<Pooler> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const pooler = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true).on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    client.pipe(server);
    let greeting: Buffer | undefined = Buffer.alloc(0);
    server.on('data', (chunk: Buffer) => {
      if (!greeting) return void client.write(chunk);
      greeting = Buffer.concat([greeting, chunk]);
      const at = processIdIn(greeting);
      if (at === undefined) return;
      greeting.writeInt32BE(greeting.readInt32BE(at) + 1, at);
      client.write(greeting);
      greeting = undefined;
    });
  });
  await new Promise<void>((listening) => pooler.listen(0, '127.0.0.1', listening));
  const url = new URL(target);
  url.host = `127.0.0.1:${(pooler.address() as AddressInfo).port}`;
  return {
    url: url.toString(),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((closed) => pooler.close(() => closed()));
    },
  };
}

/** Where the process number stands in the server's messages so far; undefined as long as it didn't come. */
function processIdIn(messages: Buffer): number | undefined {
  for (let at = 0; at + 9 <= messages.length; at += 1 + messages.readInt32BE(at + 1)) {
    if (messages[at] === 0x4b) return at + 5;
  }
  return undefined;
}
