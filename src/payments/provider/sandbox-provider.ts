import { z } from 'zod';
import { exchange, type Exchange } from './http-call.js';
import type { ChargeRequest, Found, Outcome, Provider, RefundRequest } from './provider.js';

const succeeded = z.object({ id: z.string(), status: z.literal('succeeded') });
const declined = z.object({ declineCode: z.string() });
const listed = z.object({ data: z.array(succeeded) });
const refused = z.object({ error: z.object({ code: z.string() }) });

/** The sandbox in `sandbox/`, over HTTP. */
export class SandboxProvider implements Provider {
  /** The sandbox never forgets a key. */
  readonly keyWindowMs = Infinity;

  constructor(private readonly baseUrl: string) {}

  async charge(request: ChargeRequest, key: string, timeoutMs: number): Promise<Outcome> {
    return outcomeOf(await this.post('/charges', request, key, timeoutMs));
  }

  async refund(request: RefundRequest, key: string, timeoutMs: number): Promise<Outcome> {
    return outcomeOf(await this.post('/refunds', request, key, timeoutMs));
  }

  findCharge(reference: string, timeoutMs: number): Promise<Found> {
    return this.find('/charges', reference, timeoutMs);
  }

  findRefund(reference: string, _chargeId: string, timeoutMs: number): Promise<Found> {
    return this.find('/refunds', reference, timeoutMs);
  }

  private async find(path: string, reference: string, timeoutMs: number): Promise<Found> {
    const url = `${this.baseUrl}${path}?reference=${encodeURIComponent(reference)}`;
    const answer = await exchange({ method: 'GET', url, timeoutMs });
    if (answer.kind !== 'answer' || answer.status !== 200) throw new Error(`looking up ${path} failed: ${wordsFor(answer)}`);
    const [first] = listed.parse(answer.body).data;
    return first ? { kind: 'succeeded', providerReference: first.id } : null;
  }

  private post(path: string, body: object, key: string, timeoutMs: number): Promise<Exchange> {
    return exchange({ method: 'POST', url: `${this.baseUrl}${path}`, headers: { 'idempotency-key': key }, body, timeoutMs });
  }
}

function outcomeOf(answer: Exchange): Outcome {
  if (answer.kind === 'not-sent') return { kind: 'not-reached', reason: answer.reason };
  if (answer.kind === 'lost') return { kind: 'unknown', reason: answer.reason };
  const { status, body } = answer;
  const success = succeeded.safeParse(body);
  if (status === 201 && success.success) return { kind: 'succeeded', providerReference: success.data.id };
  const decline = declined.safeParse(body);
  if (status === 402 && decline.success) return { kind: 'declined', code: decline.data.declineCode };
  // Nothing was done, and without the charge nothing ever will be.
  if (status === 404 && refused.safeParse(body).data?.error.code === 'charge_not_found')
    return { kind: 'declined', code: 'charge_not_found' };
  // The provider itself says that it did nothing.
  if (status === 503 && refused.safeParse(body).data?.error.code === 'unavailable') {
    return { kind: 'not-reached', reason: 'unavailable', answered: true };
  }
  return { kind: 'unknown', reason: wordsFor(answer), answered: true };
}

function wordsFor(answer: Exchange): string {
  return answer.kind === 'answer' ? `status ${answer.status}` : answer.reason;
}
