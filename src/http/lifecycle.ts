import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** How a process ends: first it asks for no more requests and answers those that come, then it takes none. */
@Injectable()
export class Lifecycle {
  /** Readiness says no, and each answer ends its connection. */
  leaving = false;
  /** No new connection, and nothing new is begun. */
  closing = false;
}

/** From the first moment of the end on, `Lifecycle` says so, and each answer ends its connection. */
export function announceClosing(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  const lifecycle = app.get(Lifecycle);
  fastify.addHook('preClose', (done) => {
    Object.assign(lifecycle, { leaving: true, closing: true });
    done();
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    // Without it close() would wait for clients that keep their connection: 71 s were seen.
    if (lifecycle.leaving) void reply.header('connection', 'close');
    done();
  });
}

/**
 * Goes on for a time while readiness says no, until a load balancer has noticed: a connection that is closed while the balancer sends over it
 * leaves a request of which nobody knows whether it arrived.
 */
export async function drain(app: NestFastifyApplication, milliseconds: number): Promise<void> {
  if (milliseconds === 0) return;
  app.get(Lifecycle).leaving = true;
  await sleep(milliseconds);
}

/**
 * Ends the application in order: no new connections, requests in flight to their end, then background work, then the
 * connections to the database. Nest by itself would stop the background work first, while requests still come in.
 */
export async function closeApp(app: NestFastifyApplication): Promise<void> {
  await app.getHttpAdapter().getInstance().close();
  await app.close();
}
