/** What the provider is asked for. Amounts in minor units. */
export interface ChargeRequest {
  reference: string;
  amount: number;
  currency: string;
  source: string;
}

export interface RefundRequest {
  reference: string;
  /** The provider's id of the charge. */
  chargeId: string;
  amount: number;
  currency: string;
}

/**
 * What is known after asking the provider.
 * `unknown`: it may have happened or not, or may still happen. `not-reached`: it surely did not, because no try of this
 * call sent a byte or the provider said that it did nothing.
 */
export type Outcome = { kind: 'succeeded'; providerReference: string } | { kind: 'declined'; code: string } | Undecided;

/** `answered`: the provider is there and speaks; it is this one call that has no outcome. */
export type Undecided = { kind: 'unknown'; reason: string; answered?: true } | { kind: 'not-reached'; reason: string; answered?: true };

/**
 * What a look-up by reference found; `null`: the provider answered and has nothing of that reference. What is there but
 * undecided is no answer: the look-up throws.
 */
export type Found = Extract<Outcome, { kind: 'succeeded' | 'declined' }> | null;

/** A payment provider. Each call ends within the given milliseconds. */
export interface Provider {
  /** Ends as one charge however often it is called with this key. Never throws. */
  charge(request: ChargeRequest, key: string, timeoutMs: number): Promise<Outcome>;
  /** Ends as one refund however often it is called with this key. Never throws. */
  refund(request: RefundRequest, key: string, timeoutMs: number): Promise<Outcome>;
  /** @throws Error when the provider can't be asked */
  findCharge(reference: string, timeoutMs: number): Promise<Found>;
  /** @throws Error when the provider can't be asked */
  findRefund(reference: string, chargeId: string, timeoutMs: number): Promise<Found>;
  /** For how long after its first use the provider knows an idempotency key, in milliseconds. */
  readonly keyWindowMs: number;
}

/** Tells at each call what is left of the time until the deadline, in milliseconds; less than 0 when that has passed. */
export function countdown(timeoutMs: number): () => number {
  const deadline = performance.now() + timeoutMs;
  return () => deadline - performance.now();
}

/** Injection token of the provider in use. */
export const PROVIDER = Symbol('holdfast:provider');
