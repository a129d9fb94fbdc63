/** Sockets of connections that the core has in hand. */
const streams = new WeakSet<object>();

/** From here on what is sent over this connection is the core's, or its transaction's. */
export function takeStream({ connection: { stream } }: { connection: { stream: object } }): void {
  streams.add(stream);
}

/** It is the pool's again. */
export function leaveStream({ connection: { stream } }: { connection: { stream: object } }): void {
  streams.delete(stream);
}

export function isOfTransaction(stream: object | undefined): boolean {
  return stream !== undefined && streams.has(stream);
}
