import type { Ledger, Outcome, Verdict } from './ledger.js';
import { Refusal, type ChargeRequest, type RefundRequest } from './requests.js';

/** How an answer leaves: at once, after a while, or not at all, with the connection left open or cut. */
type Way = 'now' | 'slow' | 'never' | 'cut';

/** Without status and body: there is nothing that could be said. */
export type Answer = { way: Way; status: number; body: string } | { way: 'cut' };

/** What a source makes of a charge. The way is that of the first answer; a repeat of the key is answered at once. */
interface Behaviour {
  verdict: Verdict;
  way: Way;
  /** With which code its refunds are declined. */
  refundDecline?: string;
}

const pays = (way: Way): Behaviour => ({ verdict: { declineCode: null, failures: 0 }, way });
const declines = (declineCode: string): Behaviour => ({ verdict: { declineCode }, way: 'now' });

/** A Map, not an object: a source named `constructor` is unknown like any other. */
const BEHAVIOURS = new Map<string, Behaviour>([
  ['tok_visa', pays('now')],
  ['tok_mastercard', pays('now')],
  ['tok_slow', pays('slow')],
  ['tok_hang_after', pays('never')],
  ['tok_drop_after', pays('cut')],
  ['tok_drop_before', { verdict: { declineCode: null, failures: 1 }, way: 'now' }],
  ['tok_error_500', { verdict: { declineCode: null, failures: 2 }, way: 'now' }],
  ['tok_refund_declined', { ...pays('now'), refundDecline: 'refund_declined' }],
  ['tok_declined', declines('card_declined')],
  ['tok_insufficient_funds', declines('insufficient_funds')],
  ['tok_3ds', declines('authentication_required')],
  ['tok_authentication_required', declines('authentication_required')],
]);

/** The provider's rules: which source does what, and how each outcome is answered. Knows nothing of HTTP connections. */
export class Provider {
  /** @param onEffect called after each new effect has committed */
  constructor(
    private readonly ledger: Ledger,
    private readonly onEffect: () => void,
  ) {}

  /** @throws Refusal where nothing was done and nothing is remembered */
  async charge(key: string, request: ChargeRequest): Promise<Answer> {
    const { source } = request;
    if (source === 'tok_unavailable') throw new Refusal(503, 'unavailable', 'the provider is unavailable; nothing was done');
    const { verdict, way } = BEHAVIOURS.get(source) ?? declines('invalid_token');
    const outcome = await this.ledger.charge(key, request, verdict);
    if (outcome.kind === 'failed' && source === 'tok_drop_before') return { way: 'cut' };
    return this.answer(outcome, way);
  }

  /** @throws Refusal where nothing was done and nothing is remembered */
  async refund(key: string, request: RefundRequest): Promise<Answer> {
    const outcome = await this.ledger.refund(key, request, (source) => BEHAVIOURS.get(source)?.refundDecline ?? null);
    return this.answer(outcome, 'now');
  }

  private answer(outcome: Outcome, firstWay: Way): Answer {
    switch (outcome.kind) {
      case 'result':
        if (outcome.first) this.onEffect();
        return { way: outcome.first ? firstWay : 'now', status: outcome.status, body: outcome.body };
      case 'key-reused':
        throw new Refusal(409, 'idempotency_key_reused', 'this Idempotency-Key came with other parameters before');
      case 'failed':
        throw internalError();
      case 'charge-unknown':
        throw new Refusal(404, 'charge_not_found', 'there is no charge with this chargeId');
      case 'currency-mismatch':
        throw new Refusal(400, 'currency_mismatch', "currency: must be the charge's");
    }
  }
}

/** A 500 on purpose. */
export function internalError(): Refusal {
  return new Refusal(500, 'internal_error', 'something went wrong; nothing was done');
}
