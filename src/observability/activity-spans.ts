import { SpanKind } from '@opentelemetry/api';
import { SQL, STEPS, type RunningStep, type SentStatements } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import type { KeyHash } from '../kernel/key-hash.js';
import { PROVIDER_TRIES, WEBHOOK_ATTEMPTS, type ProviderTry, type WebhookAttempt } from '../kernel/tracing.js';
import { codeOf } from '../kernel/trouble.js';
import type { SpanRule, Spans } from './spans.js';

/** Statement names that a span of many statements is named by. */
const MOST_NAMES = 8;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Statements are spans where they belong to something; what the process asks the database by itself is none. */
const statements: SpanRule<SentStatements> = {
  begin({ statements: names }, parent) {
    if (!parent?.span.isRecording()) return undefined;
    const summary = summaryOf(names);
    const size = names.length > 1 ? { 'db.operation.batch.size': names.length } : {};
    return { name: summary, kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'postgresql', 'db.query.summary': summary, ...size } };
  },
  end({ error, result }) {
    const failure = error ?? result?.error;
    if (!failure) return {};
    const code = codeOf(failure) ?? classOf(failure);
    return { attributes: SQLSTATE.test(code) ? { 'db.response.status_code': code } : {}, failure: code };
  },
};

/** Steps belong to the request that drives them; where none does, they are a trace of their own. */
const stepsWith = (keyHash: KeyHash): SpanRule<RunningStep> => ({
  begin({ step, stepNo, attempt, accountId, operationId, idempotencyKey, traceparent: origin }) {
    const about = {
      'holdfast.operation.id': operationId,
      ...(idempotencyKey !== null && { 'holdfast.key.hash': keyHash(publicId('acct', accountId), idempotencyKey) }),
    };
    const attributes = { 'holdfast.step.name': step, 'holdfast.step.number': stepNo, 'holdfast.attempt': attempt };
    return { name: `step ${step}`, kind: SpanKind.INTERNAL, attributes, about, origin };
  },
  end: ({ error, result }) => ({
    attributes: result ? { 'holdfast.outcome': result.kind } : {},
    failure: error === undefined ? undefined : classOf(error),
  }),
});

const NOT_KNOWN = new Set(['unknown', 'not-reached']);

const providerTries: SpanRule<ProviderTry> = {
  begin: ({ call }) => ({ name: `provider ${call}`, kind: SpanKind.CLIENT, attributes: { 'holdfast.provider.call': call } }),
  end({ error, result }) {
    if (error !== undefined) return { attributes: { 'holdfast.outcome': 'failed' }, failure: codeOf(error) ?? classOf(error) };
    const outcome = outcomeOf(result);
    return { attributes: { 'holdfast.outcome': outcome }, failure: NOT_KNOWN.has(outcome) ? outcome : undefined };
  },
};

/** A delivery may come days after its event: it is a trace of its own, linked to that of the event, which the receiver goes on with. */
const webhookAttempts: SpanRule<WebhookAttempt> = {
  begin: ({ eventId, attempt, traceparent: origin }) => ({
    name: 'webhook attempt',
    kind: SpanKind.CLIENT,
    attributes: { 'holdfast.event.id': eventId, 'holdfast.attempt': attempt },
    root: true,
    origin,
  }),
  end({ error, result }) {
    const status = result?.status ?? null;
    const delivered = status !== null && status >= 200 && status < 300;
    return {
      attributes: {
        'holdfast.outcome': delivered ? 'delivered' : 'failed',
        ...(status !== null && { 'http.response.status_code': status }),
      },
      failure: delivered ? undefined : (result?.error ?? (status === null ? classOf(error) : String(status))),
    };
  },
};

/** From here on, what the service and its core do is spans. */
export function followActivities(spans: Spans, keyHash: KeyHash): void {
  spans.follow(SQL, statements);
  spans.follow(STEPS, stepsWith(keyHash));
  spans.follow(PROVIDER_TRIES, providerTries);
  spans.follow(WEBHOOK_ATTEMPTS, webhookAttempts);
}

function summaryOf(names: readonly string[]): string {
  const different = [...new Set(names)];
  return different.length > MOST_NAMES ? `${different.slice(0, MOST_NAMES).join('; ')}; …` : different.join('; ');
}

/** What an answer says of itself; a look-up may find nothing, and a charge's standing has no kind. */
function outcomeOf(result: unknown): string {
  if (result === null) return 'not-found';
  return typeof result === 'object' && 'kind' in result ? String(result.kind) : 'answered';
}

function classOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}
