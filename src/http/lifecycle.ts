import { Injectable } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Whether this process still wants new requests. */
@Injectable()
export class Lifecycle {
  closing = false;
}

/** From the first moment of the end on, `Lifecycle` says so, and each answer ends its connection. */
export function announceClosing(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  let closing = false;
  fastify.addHook('preClose', (done) => {
    closing = true;
    app.get(Lifecycle).closing = true;
    done();
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    // Without it close() would wait for clients that keep their connection: 71 s were seen.
    if (closing) void reply.header('connection', 'close');
    done();
  });
}

/**
 * Ends the application in order: no new connections, requests in flight to their end, then background work, then the
 * connections to the database. Nest by itself would stop the background work first, while requests still come in.
 */
export async function closeApp(app: NestFastifyApplication): Promise<void> {
  await app.getHttpAdapter().getInstance().close();
  await app.close();
}
