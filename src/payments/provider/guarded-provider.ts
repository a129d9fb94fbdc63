import { setTimeout as sleep } from 'node:timers/promises';
import { assertNoTransaction } from '../../idempotency/index.js';
import { PROVIDER_TRIES, type ProviderTry } from '../../kernel/tracing.js';
import { Bounds, TooManyCalls } from './bounds.js';
import { judge, judgeStanding } from './comparison.js';
import {
  countdown,
  type ChargeRequest,
  type Found,
  type FoundReading,
  type NewCharge,
  type NotReached,
  type Outcome,
  type Provider,
  type Reading,
  type RefundRequest,
  type Standing,
  type StandingReading,
  type Unknown,
} from './provider.js';

/** Part of a call's time that a look-up may take, so that it and the call behind it stay within the lease together. */
export const LOOK_UP_SHARE = 0.5;
/** Further tries inside one call, under the same key: most lost answers are found at once this way. */
const RETRIES = 2;
/** Milliseconds before the first of them, give or take a half; twice as much before the next. */
const BACKOFF = 75;

const failed = (outcome: Outcome): outcome is Unknown | NotReached => outcome.kind === 'unknown' || outcome.kind === 'not-reached';

/** Another try at once would tell nothing else. */
const isLast = (outcome: Outcome): boolean =>
  !failed(outcome) || outcome.review !== undefined || (outcome.kind === 'unknown' && outcome.otherParameters === true);

/** A provider that answers needs no pause, whatever it answers. */
const isSilence = (outcome: Outcome): boolean => failed(outcome) && outcome.answered !== true;

/**
 * A provider behind bounds: few calls at once and a pause after much silence, for each account and for all, one deadline for
 * each call with quick retries inside, and never a call from inside a transaction.
 */
export class GuardedProvider {
  private readonly bounds = new Bounds();

  constructor(
    private readonly provider: Provider,
    private readonly timeoutMs: number,
    /** Hears of each charge or refund that is not sent, because of a pause or of too many calls. */
    private readonly heldBack: () => void = () => undefined,
  ) {}

  get keyWindowMs(): number {
    return this.provider.keyWindowMs;
  }

  /** `share` of the time that a call may take; the rest was for looking up. `beginMs`: after so long nothing is sent for the first time. */
  charge(request: NewCharge, key: string, share = 1, beginMs = Infinity): Promise<Outcome> {
    const left = countdown(beginMs);
    let begun = false;
    return this.send(request.account, share, async (timeoutMs) => {
      if (!begun && left() <= 0)
        return { kind: 'not-reached', reason: 'the deadline passed before it was sent', answered: true, late: 'not-begun' };
      begun = true;
      return tried('charge', async () => this.judged(request, await this.provider.charge(request, key, timeoutMs)));
    });
  }

  /** `share` as for `charge`. */
  refund(request: RefundRequest, key: string, share = 1): Promise<Outcome> {
    return this.send(request.account, share, (timeoutMs) =>
      tried('refund', async () => this.judged(request, await this.provider.refund(request, key, timeoutMs))),
    );
  }

  /** By the provider's id where that is `known`, by the reference else. @throws Error when the provider can't be asked */
  findCharge(request: ChargeRequest, known: string | null): Promise<Found> {
    return this.find(request, (timeoutMs) => tried('findCharge', () => this.provider.findCharge(request, known, timeoutMs)));
  }

  /** As `findCharge`. @throws Error when the provider can't be asked */
  findRefund(request: RefundRequest, known: string | null): Promise<Found> {
    return this.find(request, (timeoutMs) => tried('findRefund', () => this.provider.findRefund(request, known, timeoutMs)));
  }

  /** How a charge that succeeded stands by now. @throws Error when the provider can't be asked */
  async standing(request: ChargeRequest, id: string): Promise<Standing> {
    assertNoTransaction('the provider is called');
    const ask = (): Promise<StandingReading> => this.provider.standing(request, id, this.timeoutMs);
    return judgeStanding(request, await this.bounds.inPlace(request.account, () => tried('standing', ask)));
  }

  /** Every answer passes here, of whatever adapter: it is the outcome only if it is about what was asked. */
  judged(asked: ChargeRequest | RefundRequest, reading: Reading): Outcome {
    return judge(asked, reading);
  }

  private async find(request: ChargeRequest | RefundRequest, look: (timeoutMs: number) => Promise<FoundReading>): Promise<Found> {
    assertNoTransaction('the provider is called');
    const left = countdown(this.timeoutMs * LOOK_UP_SHARE);
    const reading = await this.bounds.inPlace(request.account, async () => {
      const timeoutMs = left();
      if (timeoutMs <= 0) throw new Error('no time left');
      return look(timeoutMs);
    });
    const outcome = reading && this.judged(request, reading);
    if (outcome?.kind === 'not-reached') throw new Error(outcome.reason);
    return outcome;
  }

  /** Not reached only if no try reached it: one lost answer among them makes the whole call unknown. */
  private async send(account: string, share: number, call: (timeoutMs: number) => Promise<Outcome>): Promise<Outcome> {
    assertNoTransaction('the provider is called');
    const left = countdown(this.timeoutMs * share);
    let doubt: Outcome | undefined;
    for (let retries = 0; ; retries++) {
      const result = await this.bounded(account, left, call);
      if (result.kind === 'unknown') doubt = result;
      const pause = BACKOFF * 2 ** retries * (0.5 + Math.random());
      // The pause is part of the time, too: a lease may be hardly longer than it.
      if (isLast(result) || retries === RETRIES || left() <= pause) return result.kind === 'not-reached' && doubt ? doubt : result;
      await sleep(pause);
    }
  }

  private async bounded(account: string, left: () => number, call: (timeoutMs: number) => Promise<Outcome>): Promise<Outcome> {
    try {
      return await this.bounds.inPlace(account, () => this.unlessPaused(account, left, call));
    } catch (error) {
      if (!(error instanceof TooManyCalls)) throw error;
      this.heldBack();
      return notReached(error.message);
    }
  }

  private async unlessPaused(account: string, left: () => number, call: (timeoutMs: number) => Promise<Outcome>): Promise<Outcome> {
    // Read when its turn has come: waiting for it was part of the time. It comes before then: those ahead have earlier deadlines.
    const timeoutMs = left();
    if (timeoutMs <= 0) return notReached('no time left');
    const ended = this.bounds.admit(account);
    if (!ended) {
      this.heldBack();
      return notReached('the provider has a pause after many failures');
    }
    const outcome = await call(timeoutMs).catch((error: unknown): Outcome => {
      return { kind: 'unknown', reason: error instanceof Error ? error.message : String(error) };
    });
    ended(isSilence(outcome) ? 'silence' : 'answer');
    return outcome;
  }
}

/** Asks the provider once, and tells of it where somebody listens. */
function tried<T>(call: ProviderTry['call'], ask: () => Promise<T>): Promise<T> {
  return PROVIDER_TRIES.tracePromise(ask, { call });
}

function notReached(reason: string): Outcome {
  return { kind: 'not-reached', reason };
}
