import { CallHandler, ExecutionContext, Inject, Injectable, NestInterceptor } from '@nestjs/common';
import { HTTP_CODE_METADATA } from '@nestjs/common/constants.js';
import { Reflector } from '@nestjs/core';
import { lastValueFrom, of, type Observable } from 'rxjs';
import type { KeyedRequest } from './requests/claim.js';
import { Executor, type Answer } from './requests/executor.js';
import { fingerprint } from './requests/fingerprint.js';
import { HandlerRun } from './handler-run.js';
import { IDEMPOTENT, carryRun, type CarriesRun, type IdempotentRoute } from './idempotent.decorator.js';
import { accountUuid } from './requests/account.js';
import { keyOf, type SentKey } from './requests/key.js';
import { observed } from './requests/observe.js';
import { preferredWait, prefersLenient } from './requests/preferences.js';
import { readRetry } from './requests/retry-reason.js';
import { newOperationId } from './operation-id.js';
import { OPTIONS, type CompleteOptions } from './options.js';
import type { Intent } from './records/record.store.js';
import { IdempotencyRefusal, RETRY_AFTER } from './refusal.js';

/** What Fastify's and Express's requests have in common, as far as it is needed here. */
interface HttpRequest extends CarriesRun {
  method: string;
  url: string;
  originalUrl?: string;
  headers: Record<string, string | string[] | undefined>;
  rawHeaders?: string[];
  raw?: { rawHeaders: string[] };
  routeOptions?: { url?: string };
  route?: { path?: string };
  body?: unknown;
}

/** Fastify's reply, or Express's response, which is Node's own. */
type HttpResponse = FastifyReply | ExpressResponse;

interface FastifyReply {
  status(code: number): unknown;
  header(name: string, value: string): unknown;
  send(body: Buffer): unknown;
}

interface ExpressResponse {
  status(code: number): unknown;
  setHeader(name: string, value: string): unknown;
  end(body: Buffer): unknown;
}

/** For Nest, which has nothing left to send. */
const SENT = of(undefined);

/**
 * One HTTP request to an `@Idempotent()` handler: reads the key, takes the fingerprint, lets the executor run or replay,
 * and sends the stored bytes. Everything else passes through untouched.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly executor: Executor,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const route = this.reflector.get<IdempotentRoute | undefined>(IDEMPOTENT, context.getHandler());
    if (!route) return next.handle();
    const http = context.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const response = http.getResponse<HttpResponse>();
    const sent = keyOf(route, request, request.raw?.rawHeaders ?? request.rawHeaders ?? []);
    if (sent.received !== undefined) setHeader(response, 'idempotency-key', sent.received);
    const waitSeconds = preferredWait(request.headers['prefer']);
    const lenient = route.duplicateWindowMs !== undefined && prefersLenient(request.headers['prefer']);
    const applied = [...(waitSeconds === undefined ? [] : [`wait=${waitSeconds}`]), ...(lenient ? ['handling=lenient'] : [])];
    if (applied.length > 0) setHeader(response, 'preference-applied', applied.join(', '));
    const ifMatch = ifMatchOf(request);
    const keyed: KeyedRequest = {
      intent: this.intentOf(request, sent, route, route.readsIfMatch ? ifMatch : undefined),
      work: (tx) => {
        const run = new HandlerRun(tx);
        carryRun(request, run);
        return lastValueFrom(next.handle(), { defaultValue: undefined }).then(
          (body) => run.decided(body),
          (error: unknown) => run.failed(error),
        );
      },
      status: this.reflector.get<number | undefined>(HTTP_CODE_METADATA, context.getHandler()) ?? (request.method === 'POST' ? 201 : 200),
      optimistic: route.optimistic ?? false,
      deadline: performance.now() + (waitSeconds ?? 0) * 1000,
      lenient,
      retry: readRetry(request.headers),
    };
    // Until the last record of that time has expired: If-Match was part of every fingerprint.
    const earlier = (): Intent | undefined =>
      route.readsIfMatch || ifMatch === undefined ? undefined : this.intentOf(request, sent, route, ifMatch);
    send(response, await this.execute(keyed, earlier), sent);
    return SENT;
  }

  /** `earlier`: what the request was by an earlier rule, where that differs. */
  private execute(request: KeyedRequest, earlier: () => Intent | undefined): Promise<Answer> {
    return observed(this.options, request, () =>
      this.executor.execute(request).catch((error: unknown) => {
        const before = error instanceof IdempotencyRefusal && error.code === 'idempotency-key-reused' ? earlier() : undefined;
        if (!before) throw error;
        return this.executor.execute({ ...request, intent: before });
      }),
    );
  }

  private intentOf(request: HttpRequest, { key }: SentKey, route: IdempotentRoute, ifMatch: string | undefined): Intent {
    const url = request.originalUrl ?? request.url;
    let operationId: string | undefined;
    return {
      accountId: accountUuid(this.options.accountOf(request)),
      key,
      fingerprint: fingerprint({
        method: request.method,
        url,
        ifMatch,
        body: request.body,
      }),
      operation: `${request.method} ${request.routeOptions?.url ?? request.route?.path ?? url}`,
      // Made when it is needed: a replay has one already.
      get operationId() {
        return (operationId ??= newOperationId());
      },
      windowMs: route.windowMs ?? this.options.windowMs,
      duplicateWindowMs: route.duplicateWindowMs,
      traceId: this.options.traceOf(request),
      traceparent: this.options.traceparent(),
    };
  }
}

function ifMatchOf({ headers }: HttpRequest): string | undefined {
  const ifMatch = headers['if-match'];
  return Array.isArray(ifMatch) ? ifMatch.join(', ') : ifMatch;
}

function send(response: HttpResponse, { response: stored, expiresAt, replayed, resumableInMs = 0 }: Answer, { isOwn }: SentKey): void {
  response.status(stored.status);
  for (const [name, value] of Object.entries(stored.headers)) setHeader(response, name, value);
  // A key that nobody can send again has no window, and gets no other answer later.
  if (!isOwn && expiresAt) setHeader(response, 'idempotency-expires', expiresAt.toUTCString());
  if (!isOwn && !expiresAt) setHeader(response, 'retry-after', String(Math.max(RETRY_AFTER, Math.ceil(resumableInMs / 1000))));
  if (replayed) setHeader(response, 'idempotent-replayed', 'true');
  // As bytes: to a text Fastify would add a charset that the stored headers don't have.
  const body = Buffer.from(stored.body);
  // Express's send() would add an ETag.
  if ('setHeader' in response) response.end(body);
  else response.send(body);
}

/** Express's own header() would add a charset to the content type. */
function setHeader(response: HttpResponse, name: string, value: string): void {
  if ('setHeader' in response) response.setHeader(name, value);
  else response.header(name, value);
}
