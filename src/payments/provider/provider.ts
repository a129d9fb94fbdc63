/** What the provider is asked for. Amounts in minor units. */
export interface ChargeRequest {
  /** Public id of the account, which the provider keeps and shows with what it made. */
  account: string;
  reference: string;
  amount: number;
  currency: string;
  source: string;
}

/** Where a charge comes from, in public ids: with its account what finds its owner, should its own rows be lost. */
export interface Origin {
  order: string;
  payment: string;
  operation: string;
}

/** A charge that is to be made. */
export interface NewCharge extends ChargeRequest {
  /** The provider keeps it and shows it with what it made. */
  origin: Origin;
}

export interface RefundRequest {
  /** As with a charge. */
  account: string;
  reference: string;
  /** The provider's id of the charge. */
  chargeId: string;
  amount: number;
  currency: string;
}

/**
 * What is known after asking the provider.
 * `pending`: the provider has it, under that id, and has not decided; from then on it is read by the id and never sent again.
 * `unknown`: it may have happened or not, or may still happen; `otherParameters`: another version of this service asked for it under the key. `not-reached`: it surely did not, because no try of this
 * call sent a byte or the provider said that it did nothing. `late`: because a deadline had passed, before this call began or,
 * for whatever was sent earlier, as the provider finds nothing. `closed`: because nothing is sent after a restore.
 */
export type Outcome = Decided | Pending | Unknown | NotReached;

/** `mayChange`: the provider's books may say something else later. */
export type Decided = { kind: 'succeeded'; providerReference: string; mayChange?: true } | { kind: 'declined'; code: string };
export type Pending = { kind: 'pending'; providerReference: string; reason: string } & Waiting;
export type Unknown = { kind: 'unknown'; reason: string; answered?: true; otherParameters?: true } & Waiting;
export type NotReached = {
  kind: 'not-reached';
  reason: string;
  answered?: true;
  late?: 'not-begun' | 'not-found';
  closed?: true;
} & Waiting;

/** How to wait for an outcome. */
export interface Waiting {
  /** Why a person must look at it. */
  review?: string;
  /** When to ask again, in milliseconds; absent: as the engine does after failures. */
  againMs?: number;
}

/** What an answer says of the charge or refund that it is about, in the terms of the request; what it doesn't tell is missing. */
export type Said = Partial<ChargeRequest & RefundRequest>;

/** An outcome as an adapter read it, with what the answer said: it is the outcome only of what was asked. */
export type Reading = ((Decided | Pending) & { said: Said }) | Unknown | NotReached;

/**
 * What a look-up found; `null`: the provider answered and has nothing of that reference. What is there and may still become
 * anything is no answer: the look-up throws.
 */
export type Found = Decided | Pending | Unknown | null;

/** What an adapter's look-up found. */
export type FoundReading = Exclude<Reading, NotReached> | null;

/** How a charge stands. `trouble`: what a person must know; `returned`: how much of it went back, in minor units. */
export interface Standing {
  trouble: string | null;
  returned: number;
}

/** How a charge stands as an adapter read it, with what the answer said of it. */
export interface StandingReading extends Standing {
  said: Said;
}

/** A payment provider. Each call ends within the given milliseconds. */
export interface Provider {
  /** Ends as one charge however often it is called with this key. Never throws. */
  charge(request: NewCharge, key: string, timeoutMs: number): Promise<Reading>;
  /** Ends as one refund however often it is called with this key. Never throws. */
  refund(request: RefundRequest, key: string, timeoutMs: number): Promise<Reading>;
  /** Reads what became of a charge: by the provider's id where that is `known`, by its reference else. @throws Error when the provider can't be asked */
  findCharge(request: ChargeRequest, known: string | null, timeoutMs: number): Promise<FoundReading>;
  /** As `findCharge`. @throws Error when the provider can't be asked */
  findRefund(request: RefundRequest, known: string | null, timeoutMs: number): Promise<FoundReading>;
  /** How a charge that succeeded stands by now. @throws Error when the provider can't be asked */
  standing(request: ChargeRequest, id: string, timeoutMs: number): Promise<StandingReading>;
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
