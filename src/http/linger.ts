import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

/** Of what a refused client still sends, so many bytes are thrown away, for so many milliseconds, before the connection ends. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_TIME = 5_000;
/** A rest that is waited for without ending the connection after it, in bytes. */
const SMALL = 64 * 1024;

/** Requests whose body was read to its end before node itself had seen that. */
const readEarly = new WeakSet<IncomingMessage>();

/** True when all of the body is in memory: a small one comes with its headers, and node sees its end a moment later. */
export function isHere(request: IncomingMessage): boolean {
  return request.complete || request.readableLength === Number(request.headers['content-length']);
}

/** The bytes of a body that is here; to be called once. */
export function takeBody(request: IncomingMessage): Buffer {
  readEarly.add(request);
  const chunks: Buffer[] = [];
  for (let chunk = request.read() as Buffer | null; chunk !== null; chunk = request.read() as Buffer | null) chunks.push(chunk);
  return chunks[0] && chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

/** True while the body of the request is still to come. */
export function isStillWriting(request: IncomingMessage): boolean {
  if (isHere(request) || readEarly.has(request)) return false;
  return request.headers['transfer-encoding'] !== undefined || lengthOf(request) > 0;
}

/** True when so much is to come that the connection had better end after the answer. */
export function isWritingMuch(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || lengthOf(request) > SMALL;
}

/**
 * The answer to a client that is still writing. It leaves at once and whole, but ends only when the client has: to close a
 * connection on which bytes arrive resets it, and takes from the client what it has not read yet (RFC 9112, section 9.6).
 */
export function answerThenDiscard(answer: Buffer, request: IncomingMessage): Readable {
  const stream = new Readable({ read: () => undefined });
  stream.push(answer);
  discard(request, (isDone) => {
    stream.push(null);
    if (!isDone) stream.once('close', () => request.socket.destroySoon());
  });
  return stream;
}

/** The same for a connection on which there is no request that could be read; it has its answer already. */
export function closeAfterDiscard(socket: Socket): void {
  // Takes the connection from node's parser, which has given up on it.
  socket.removeAllListeners('data');
  discard(socket, () => socket.destroy());
}

function discard(from: IncomingMessage | Socket, done: (isDone: boolean) => void): void {
  // Its events are over.
  if (from.destroyed) return done(true);
  let left = MAX_BYTES;
  const stop = (isDone: boolean): void => {
    clearTimeout(timer);
    from.removeListener('data', count).removeListener('end', end).removeListener('close', end);
    done(isDone);
  };
  const end = (): void => stop(true);
  const count = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) stop(false);
  };
  const timer = setTimeout(() => stop(false), MAX_TIME);
  from.on('data', count).on('end', end).on('close', end).resume();
}

function lengthOf(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}
