import { CallHandler, ExecutionContext, Inject, Injectable, NestInterceptor } from '@nestjs/common';
import { HTTP_CODE_METADATA } from '@nestjs/common/constants.js';
import { Reflector } from '@nestjs/core';
import { lastValueFrom, of, type Observable } from 'rxjs';
import type { KeyedRequest } from './requests/claim.js';
import { Executor, type Answer } from './requests/executor.js';
import { fingerprint } from './requests/fingerprint.js';
import { IDEMPOTENT, carryTransaction, type CarriesTransaction, type IdempotentRoute } from './idempotent.decorator.js';
import { readKey, type SentKey } from './requests/key.js';
import { tellTime } from './requests/late-requests.js';
import { preferredWait, prefersLenient } from './requests/preferences.js';
import { readRetry } from './requests/retry-reason.js';
import { newOperationId } from './operation-id.js';
import { OPTIONS, type CompleteOptions, type RequestOutcome } from './options.js';
import type { Intent } from './records/record.store.js';
import { IdempotencyRefusal, RETRY_AFTER, type RefusalCode } from './refusal.js';

/** What Fastify's and Express's requests have in common, as far as it is needed here. */
interface HttpRequest extends CarriesTransaction {
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
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

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
    const sent = readKey(request.raw?.rawHeaders ?? request.rawHeaders ?? []);
    setHeader(response, 'idempotency-key', sent.received);
    const waitSeconds = preferredWait(request.headers['prefer']);
    const lenient = route.duplicateWindowMs !== undefined && prefersLenient(request.headers['prefer']);
    const applied = [...(waitSeconds === undefined ? [] : [`wait=${waitSeconds}`]), ...(lenient ? ['handling=lenient'] : [])];
    if (applied.length > 0) setHeader(response, 'preference-applied', applied.join(', '));
    const ifMatch = ifMatchOf(request);
    const keyed: KeyedRequest = {
      intent: this.intentOf(request, sent, route, route.readsIfMatch ? ifMatch : undefined),
      work: (tx) => {
        carryTransaction(request, tx);
        return lastValueFrom(next.handle(), { defaultValue: undefined });
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
    send(response, await this.execute(keyed, earlier));
    return SENT;
  }

  /** `earlier`: what the request was by an earlier rule, where that differs. */
  private async execute(request: KeyedRequest, earlier: () => Intent | undefined): Promise<Answer> {
    const { intent, retry } = request;
    const observe = (outcome: RequestOutcome['outcome']): void =>
      this.options.observe({ operation: intent.operation, outcome, retryReason: retry.reason });
    try {
      const answer = await this.executor.execute(request).catch((error: unknown) => {
        const before = error instanceof IdempotencyRefusal && error.code === 'idempotency-key-reused' ? earlier() : undefined;
        if (!before) throw error;
        return this.executor.execute({ ...request, intent: before });
      });
      observe(answer.replayed ? 'replayed' : answer.expiresAt ? 'executed' : 'pending');
      return answer;
    } catch (error) {
      observe(error instanceof IdempotencyRefusal ? OUTCOME_OF[error.code] : 'failed');
      throw error instanceof IdempotencyRefusal ? tellTime(error, intent.key) : error;
    }
  }

  private intentOf(request: HttpRequest, { key }: SentKey, route: IdempotentRoute, ifMatch: string | undefined): Intent {
    const url = request.originalUrl ?? request.url;
    let operationId: string | undefined;
    return {
      accountId: canonicalUuid(this.options.accountOf(request)),
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
    };
  }
}

/**
 * The one spelling that PostgreSQL gives back: the provider's key is a hash of it, and has to be the same for a retry that
 * read the account from the record. @throws Error when it is no uuid, which is a mistake of the application
 */
function canonicalUuid(text: string): string {
  if (!UUID.test(text)) throw new Error(`accountOf gave no uuid: ${JSON.stringify(text)}`);
  return text.toLowerCase();
}

function ifMatchOf({ headers }: HttpRequest): string | undefined {
  const ifMatch = headers['if-match'];
  return Array.isArray(ifMatch) ? ifMatch.join(', ') : ifMatch;
}

const OUTCOME_OF: Record<RefusalCode, RequestOutcome['outcome']> = {
  'idempotency-key-missing': 'failed',
  'idempotency-key-invalid': 'failed',
  'idempotency-request-in-progress': 'in-progress',
  'idempotency-key-reused': 'reused',
  'idempotency-key-sealed': 'sealed',
  'idempotency-key-expired': 'expired',
  'possible-duplicate': 'failed',
  'rate-limited': 'rate-limited',
  'service-unavailable': 'failed',
};

function send(response: HttpResponse, { response: stored, expiresAt, replayed, resumableInMs = 0 }: Answer): void {
  response.status(stored.status);
  for (const [name, value] of Object.entries(stored.headers)) setHeader(response, name, value);
  if (expiresAt) setHeader(response, 'idempotency-expires', expiresAt.toUTCString());
  else setHeader(response, 'retry-after', String(Math.max(RETRY_AFTER, Math.ceil(resumableInMs / 1000))));
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
