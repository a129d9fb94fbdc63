import type { IncomingMessage, ServerResponse } from 'node:http';
import { BODY_LIMIT } from './body-size.js';
import { isHere, takeBody } from './linger.js';
import { Problem } from './problem.js';

/** A body has so long to arrive, in milliseconds. */
const BODY_TIMEOUT = 30_000;

/** Reads bodies within bounds: of each its size and its time, and of all together what has arrived in part. */
export class BodyReader {
  /** Bytes of all bodies that have arrived in part. */
  private halfSent = 0;

  /** `halfSentLimit`: in bytes. */
  constructor(private readonly halfSentLimit: number) {}

  /** The whole body; undefined when it is larger than a body may be, whose rest is then not read. */
  async receive(request: IncomingMessage, response: ServerResponse): Promise<Buffer | undefined> {
    const announced = request.headers['content-length'];
    if (announced !== undefined && Number(announced) > BODY_LIMIT) return undefined;
    if (isHere(request)) return withinLimit(takeBody(request));
    if (request.headers.expect !== undefined) response.writeContinue();
    return this.arrival(request);
  }

  /** @throws Problem `request-timeout` when the body does not come to its end, or not in time */
  private async arrival(request: IncomingMessage): Promise<Buffer | undefined> {
    const chunks: Buffer[] = [];
    let length = 0;
    let timer: NodeJS.Timeout | undefined;
    let listeners: [event: string, listener: (chunk: Buffer) => void][] = [];
    try {
      return await new Promise<Buffer | undefined>((resolve, reject) => {
        timer = setTimeout(() => reject(incomplete('The body did not come to its end in time.')), BODY_TIMEOUT);
        const take = (chunk: Buffer): void => {
          length += chunk.length;
          this.halfSent += chunk.length;
          chunks.push(chunk);
          if (length > BODY_LIMIT) resolve(undefined);
          if (this.halfSent > this.halfSentLimit)
            reject(new Problem('service-unavailable', 'Too many bodies are arriving at this moment.'));
        };
        listeners = [
          ['data', take],
          ['end', () => resolve(Buffer.concat(chunks, length))],
          ['close', () => reject(incomplete('The connection ended before the body did.'))],
        ];
        for (const [event, listener] of listeners) request.on(event, listener);
      });
    } finally {
      clearTimeout(timer);
      // What stays behind would hold the chunks, and make an error of each end of a connection.
      for (const [event, listener] of listeners) request.removeListener(event, listener);
      request.pause();
      this.halfSent -= length;
    }
  }
}

function withinLimit(bytes: Buffer): Buffer | undefined {
  return bytes.length > BODY_LIMIT ? undefined : bytes;
}

function incomplete(detail: string): Problem {
  return new Problem('request-timeout', detail);
}
