import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Connections } from './connections.js';
import { UnknownOutcome } from './database.js';
import { faultCommand, type Fate, type Faults } from './faults.js';
import type { Ledger } from './ledger.js';
import { internalError, type Answer, type Provider } from './provider.js';
import { Refusal, read, readCharge, readKey, readReference, readRefund, referenceOf } from './requests.js';

const SLOW_MS = 3_000;

/** How long a shutdown lets requests finish that are neither waiting nor hung, but slow to send their body, say. */
const GRACE_MS = 1_000;

declare module 'fastify' {
  interface FastifyRequest {
    fate: Fate | null;
    listed: boolean;
  }
}

/** The HTTP side: what a customer of the provider calls, and what a test calls to see and disturb it. */
export function buildServer(ledger: Ledger, provider: Provider, faults: Faults, log: Logger): FastifyInstance {
  const connections = new Connections();
  const app = Fastify({ bodyLimit: 64 * 1024, forceCloseConnections: 'idle', return503OnClosing: true });

  app.setErrorHandler(async (error: FastifyError | Refusal | Error, _request, reply) => {
    const { status, code, message } = describe(error);
    if (status >= 500 && !(error instanceof Refusal)) log.error({ err: error }, 'a request failed, without an effect');
    return reply.code(status).send({ error: { code, message } });
  });
  app.setNotFoundHandler(() => {
    throw new Refusal(404, 'not_found', 'there is no such route');
  });
  app.addHook('onSend', async (_request, reply) => {
    if (connections.closed) reply.header('connection', 'close');
  });
  app.addHook('preClose', async () => {
    connections.close();
    setTimeout(() => app.server.closeAllConnections(), GRACE_MS).unref();
  });

  app.get('/faults', () => faults.show());
  app.put('/faults', (request) => {
    faults.set(read(faultCommand, request.body));
    return faults.show();
  });
  app.get('/ledger', () => ledger.readAll());
  app.register(async (routes) => addProvider(routes, { ledger, provider, faults, log, connections }));
  return app;
}

interface Parts {
  ledger: Ledger;
  provider: Provider;
  faults: Faults;
  log: Logger;
  connections: Connections;
}

/** The provider's own routes, which are subject to faults. */
function addProvider(routes: FastifyInstance, { ledger, provider, faults, log, connections }: Parts): void {
  routes.decorateRequest('fate', null);
  routes.decorateRequest('listed', false);

  routes.addHook('onRequest', async (request, reply) => {
    request.fate = faults.draw();
    if (request.fate.fault !== 'refuse') return;
    await list(request).catch((error: unknown) => log.warn({ err: error }, 'a refused request could not be listed'));
    return connections.cut(reply);
  });
  routes.addHook('preValidation', list);
  routes.addHook('onSend', async (request) => {
    // A body that could not be read ends here without having met preValidation.
    await list(request);
    await connections.pause(request.fate?.latencyMs ?? 0);
  });

  routes.get('/charges', (request) => ledger.findCharges(readReference(request.query)));
  routes.get('/refunds', (request) => ledger.findRefunds(readReference(request.query)));
  routes.post('/charges', async (request, reply) => {
    const key = readKey(request.headers['idempotency-key']);
    const charge = readCharge(request.body);
    return perform(request, reply, () => provider.charge(key, charge));
  });
  routes.post('/refunds', async (request, reply) => {
    const key = readKey(request.headers['idempotency-key']);
    const refund = readRefund(request.body);
    return perform(request, reply, () => provider.refund(key, refund));
  });

  /** Adds a POST to the ledger's list of requests, once. */
  async function list(request: FastifyRequest): Promise<void> {
    if (request.method !== 'POST' || request.listed) return;
    request.listed = true;
    const key = request.headers['idempotency-key'];
    const path = request.routeOptions.url ?? request.url;
    await ledger.listRequest(request.method, path, typeof key === 'string' ? key : null, referenceOf(request.body));
  }

  async function perform(request: FastifyRequest, reply: FastifyReply, effect: () => Promise<Answer>): Promise<FastifyReply> {
    const fault = request.fate?.fault;
    if (fault === 'dropBefore') return connections.cut(reply);
    if (fault === 'error500') throw internalError();
    const answer = await effect().catch((error: unknown): Answer => {
      // Neither a success nor "nothing was done" would be true.
      if (error instanceof UnknownOutcome) return { way: 'cut' };
      throw error;
    });
    if (fault === 'dropAfter' || answer.way === 'cut') return connections.cut(reply);
    if (fault === 'hangAfter' || answer.way === 'never') return connections.hang(reply);
    if (answer.way === 'slow') await connections.pause(SLOW_MS);
    return reply.code(answer.status).type('application/json; charset=utf-8').send(answer.body);
  }
}

function describe(error: FastifyError | Refusal | Error): { status: number; code: string; message: string } {
  if (error instanceof Refusal) return error;
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500;
  if (status >= 500) return { status: 503, code: 'unavailable', message: 'the provider is unavailable; nothing was done' };
  const code = status === 413 ? 'body_too_large' : status === 415 ? 'unsupported_media_type' : 'invalid_request';
  return { status, code, message: error.message };
}
