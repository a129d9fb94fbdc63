import type { Ledger, Outcome } from './ledger.js';
import { Refusal, type ChargeRequest, type RefundRequest } from './requests.js';
import { BEHAVIOURS, declines, type Way } from './sources.js';

/** Without status and body: there is nothing that could be said. */
export type Answer = { way: Way; status: number; body: string } | { way: 'cut' };

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
