import { z } from 'zod';
import { exchange, type Exchange } from './http-call.js';
import type { ChargeRequest, FoundReading, NewCharge, Provider, Reading, RefundRequest, Said, StandingReading } from './provider.js';

const metadata = z.object({ account: z.string().optional() }).nullish();
const succeeded = z.object({
  id: z.string(),
  status: z.literal('succeeded'),
  reference: z.string(),
  amount: z.number(),
  currency: z.string(),
  chargeId: z.string().optional(),
  metadata,
});
const declined = z.object({ declineCode: z.string(), reference: z.string(), chargeId: z.string().optional() });
const listed = z.object({ data: z.array(succeeded) });
const refused = z.object({ error: z.object({ code: z.string() }) });

/** The sandbox in `sandbox/`, over HTTP. */
export class SandboxProvider implements Provider {
  /** The sandbox never forgets a key. */
  readonly keyWindowMs = Infinity;

  constructor(private readonly baseUrl: string) {}

  async charge({ account, origin, ...request }: NewCharge, key: string, timeoutMs: number): Promise<Reading> {
    return readingOf(await this.post('/charges', { ...request, metadata: { account, ...origin } }, key, timeoutMs));
  }

  async refund({ account, ...request }: RefundRequest, key: string, timeoutMs: number): Promise<Reading> {
    return readingOf(await this.post('/refunds', { ...request, metadata: { account } }, key, timeoutMs));
  }

  /** The sandbox decides at once, so there is never an id of something undecided. */
  findCharge({ reference }: ChargeRequest, _known: string | null, timeoutMs: number): Promise<FoundReading> {
    return this.find('/charges', reference, timeoutMs);
  }

  findRefund({ reference }: RefundRequest, _known: string | null, timeoutMs: number): Promise<FoundReading> {
    return this.find('/refunds', reference, timeoutMs);
  }

  /** The sandbox's books never change. */
  standing(): Promise<StandingReading> {
    return Promise.resolve({ trouble: null, returned: 0, said: {} });
  }

  private async find(path: string, reference: string, timeoutMs: number): Promise<FoundReading> {
    const url = `${this.baseUrl}${path}?reference=${encodeURIComponent(reference)}`;
    const answer = await exchange({ method: 'GET', url, timeoutMs });
    if (answer.kind !== 'answer' || answer.status !== 200) throw new Error(`looking up ${path} failed: ${wordsFor(answer)}`);
    const [first] = listed.parse(answer.body).data;
    return first ? success(first) : null;
  }

  private post(path: string, body: object, key: string, timeoutMs: number): Promise<Exchange> {
    return exchange({ method: 'POST', url: `${this.baseUrl}${path}`, headers: { 'idempotency-key': key }, body, timeoutMs });
  }
}

function success({ id, metadata: kept, reference, amount, currency, chargeId }: z.infer<typeof succeeded>): Exclude<FoundReading, null> {
  const said: Said = { reference, amount, currency, ...(chargeId && { chargeId }), ...(kept?.account && { account: kept.account }) };
  return { kind: 'succeeded', providerReference: id, said };
}

function readingOf(answer: Exchange): Reading {
  if (answer.kind === 'not-sent') return { kind: 'not-reached', reason: answer.reason };
  if (answer.kind === 'lost') return { kind: 'unknown', reason: answer.reason };
  const { status, body } = answer;
  const done = succeeded.safeParse(body);
  if (status === 201 && done.success) return success(done.data);
  const decline = declined.safeParse(body);
  if (status === 402 && decline.success) {
    const { declineCode: code, ...said } = decline.data;
    return { kind: 'declined', code, said };
  }
  // Nothing was done, and without the charge nothing ever will be.
  if (status === 404 && refused.safeParse(body).data?.error.code === 'charge_not_found') {
    return { kind: 'declined', code: 'charge_not_found', said: {} };
  }
  if (status === 409 && refused.safeParse(body).data?.error.code === 'idempotency_key_reused') {
    return { kind: 'unknown', reason: wordsFor(answer), answered: true, otherParameters: true };
  }
  // The provider itself says that it did nothing.
  if (status === 503 && refused.safeParse(body).data?.error.code === 'unavailable') {
    return { kind: 'not-reached', reason: 'unavailable', answered: true };
  }
  return { kind: 'unknown', reason: wordsFor(answer), answered: true };
}

function wordsFor(answer: Exchange): string {
  return answer.kind === 'answer' ? `status ${answer.status}` : answer.reason;
}
