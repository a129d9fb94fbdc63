import { CallHandler, ExecutionContext, Inject, Injectable, NestInterceptor, OnModuleInit } from '@nestjs/common';
import { HEADERS_METADATA, HTTP_CODE_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { lastValueFrom, of, type Observable } from 'rxjs';
import type { KeyedRequest } from './requests/claim.js';
import { Executor, type Answer } from './requests/executor.js';
import { HandlerRun } from './handler-run.js';
import { answerOf } from './http/answer.js';
import { ExceptionFilters } from './http/exception-filters.js';
import { sendBytes, setHeader, type HttpRequest, type HttpResponse } from './http/platform.js';
import { identityOf } from './http/same-request.js';
import { ResponseDraft } from './http/response-draft.js';
import { withoutSending } from './http/sending.js';
import { IDEMPOTENT, carryRun, type CarriesRun, type IdempotentRoute } from './idempotent.decorator.js';
import { accountUuid } from './requests/account.js';
import { keyOf, type SentKey } from './requests/key.js';
import { observed, tellFailure } from './requests/observe.js';
import { preferredWait, prefersLenient } from './requests/preferences.js';
import { readRetry } from './requests/retry-reason.js';
import { newOperationId } from './operation-id.js';
import { OPTIONS, type CompleteOptions } from './options.js';
import { OuterWitness, outerInterceptors, refuseOuterSerializers } from './outer-interceptors.js';
import type { Work } from './protocol/decision.js';
import type { Intent } from './records/record.store.js';
import { IdempotencyRefusal, RETRY_AFTER } from './refusal.js';
import { renderer } from './rendering.js';

/** For Nest, which has nothing left to send, where no interceptor looks on. */
const SENT = of(undefined);

/**
 * One HTTP request to an `@Idempotent()` handler: reads the key, takes the fingerprint, lets the executor run or replay,
 * and sends the stored bytes. Everything else passes through untouched.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor, OnModuleInit {
  /** Where interceptors of the application stand around this one, and are to see what was sent. */
  private witness: OuterWitness | undefined;

  constructor(
    private readonly reflector: Reflector,
    private readonly executor: Executor,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
    private readonly discovery: DiscoveryService,
    private readonly filters: ExceptionFilters,
  ) {}

  /** @throws Error where a serializer of the application would come too late */
  onModuleInit(): void {
    const outer = outerInterceptors(this.discovery, this);
    refuseOuterSerializers(outer);
    if (outer.length > 0) this.witness = new OuterWitness(outer);
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const route = this.reflector.get<IdempotentRoute | undefined>(IDEMPOTENT, context.getHandler());
    if (!route) return next.handle();
    if (context.getType() !== 'http') throw new Error(NO_REQUEST);
    try {
      return await this.answer(context, next, route);
    } catch (error) {
      if (error instanceof IdempotencyRefusal) this.announce(error, context.switchToHttp().getResponse<HttpResponse>());
      throw error;
    }
  }

  /** Sends the one answer of the request. @throws IdempotencyRefusal, and what the handler threw that isn't final */
  private async answer(context: ExecutionContext, next: CallHandler, route: IdempotentRoute): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const response = http.getResponse<HttpResponse>();
    const sent = this.told(request, () => keyOf(route, request, request.raw?.rawHeaders ?? request.rawHeaders ?? []));
    if (sent.received !== undefined) setHeader(response, 'idempotency-key', sent.received);
    const waitSeconds = preferredWait(request.headers['prefer']);
    const lenient = route.duplicateWindowMs !== undefined && prefersLenient(request.headers['prefer']);
    const applied = [...(waitSeconds === undefined ? [] : [`wait=${waitSeconds}`]), ...(lenient ? ['handling=lenient'] : [])];
    if (applied.length > 0) setHeader(response, 'preference-applied', applied.join(', '));
    const identity = this.told(request, () => identityOf(request, route));
    const status =
      this.reflector.get<number | undefined>(HTTP_CODE_METADATA, context.getHandler()) ?? (request.method === 'POST' ? 201 : 200);
    const keyed: KeyedRequest = {
      intent: this.intentOf(request, sent, route, identity.fingerprint),
      work: this.workOf(context, next, route, { status, verify: identity.verify }),
      render: renderer(this.options.render, (error) => this.filters.answerTo(error, context, this.declared(context))),
      status,
      optimistic: route.optimistic ?? false,
      deadline: performance.now() + (waitSeconds ?? 0) * 1000,
      lenient,
      retry: readRetry(request.headers),
    };
    const answer = await this.execute(keyed, request, identity.earlierFingerprint);
    send(response, answer, sent);
    return this.witness ? of(this.witness.show(context, answer.response)) : SENT;
  }

  /** Puts the headers of a refusal on the response, whatever filter answers it. */
  private announce(refusal: IdempotencyRefusal, response: HttpResponse): void {
    if (this.options.problemJson) refusal.becomeProblem();
    for (const [name, value] of Object.entries(refusal.headers)) setHeader(response, name, value);
  }

  /** The pipes, the application's interceptors and the handler, and what they come to. */
  private workOf(
    context: ExecutionContext,
    next: CallHandler,
    { response: asked, redirection }: IdempotentRoute,
    { status, verify }: { status: number; verify: () => void },
  ): Work {
    const http = context.switchToHttp();
    const response = http.getResponse<HttpResponse>();
    const declared = this.declared(context);
    const called = (): Promise<unknown> => lastValueFrom(next.handle(), { defaultValue: undefined });
    return async (tx) => {
      const run = new HandlerRun(tx);
      carryRun(http.getRequest<CarriesRun>(), run);
      const draft = new ResponseDraft(response, declared);
      const body = await (asked === 'passthrough' ? withoutSending(response, called) : called()).catch((error: unknown) => {
        draft.discard();
        return run.failed(error);
      });
      verify();
      return answerOf(run.decided(body), { response, drafted: draft.take(), status, redirection });
    };
  }

  /** Headers that the route declares, in small letters. */
  private declared(context: ExecutionContext): string[] {
    const headers = this.reflector.get<{ name: string }[] | undefined>(HEADERS_METADATA, context.getHandler()) ?? [];
    return headers.map(({ name }) => name.toLowerCase());
  }

  /** Reads what the request is; one that is refused for it is told to the application. @throws as `read` does */
  private told<T>(request: HttpRequest, read: () => T): T {
    try {
      return read();
    } catch (error) {
      const intent = { accountId: undefined, key: undefined, operation: operationOf(request) };
      tellFailure(this.options, { intent, retry: readRetry(request.headers), request }, error, 0);
      throw error;
    }
  }

  /** `earlier`: what the request was by an earlier rule, where that differs, until the last record of that time has expired. */
  private execute(keyed: KeyedRequest, request: HttpRequest, earlier: string | undefined): Promise<Answer> {
    return observed(this.options, { intent: keyed.intent, retry: keyed.retry, request }, () =>
      this.executor.execute(keyed).catch((error: unknown) => {
        const isReused = error instanceof IdempotencyRefusal && error.code === 'idempotency-key-reused';
        if (!isReused || earlier === undefined) throw error;
        return this.executor.execute({ ...keyed, intent: { ...keyed.intent, fingerprint: earlier } });
      }),
    );
  }

  private intentOf(request: HttpRequest, { key }: SentKey, route: IdempotentRoute, fingerprint: string): Intent {
    let operationId: string | undefined;
    return {
      accountId: accountUuid(this.options.accountOf(request)),
      key,
      fingerprint,
      operation: operationOf(request),
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

function operationOf({ method, routeOptions, route, originalUrl, url }: HttpRequest): string {
  return `${method} ${routeOptions?.url ?? route?.path ?? originalUrl ?? url}`;
}

function send(response: HttpResponse, { response: stored, expiresAt, replayed, resumableInMs = 0 }: Answer, { isOwn }: SentKey): void {
  for (const [name, value] of Object.entries(stored.headers)) setHeader(response, name, value);
  // A key that nobody can send again has no window, and gets no other answer later.
  if (!isOwn && expiresAt) setHeader(response, 'idempotency-expires', expiresAt.toUTCString());
  if (!isOwn && !expiresAt) setHeader(response, 'retry-after', String(Math.max(RETRY_AFTER, Math.ceil(resumableInMs / 1000))));
  if (replayed) setHeader(response, 'idempotent-replayed', 'true');
  sendBytes(response, stored.status, stored.body);
}

const NO_REQUEST =
  '@Idempotent() on a handler that no HTTP request came to (a message, a GraphQL operation, a socket): use Idempotency.run(…) there';
