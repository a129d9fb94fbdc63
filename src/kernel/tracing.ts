import { channel, tracingChannel } from 'node:diagnostics_channel';

/** One try at the payment provider, on the channel `holdfast:provider`. */
export interface ProviderTry {
  /** What it is asked for. */
  readonly call: 'charge' | 'refund' | 'findCharge' | 'findRefund' | 'standing';
  /** From the end on; null: the provider has nothing of the kind. */
  result?: unknown;
  error?: unknown;
}

/** One attempt to deliver an event, on the channel `holdfast:webhook`. */
export interface WebhookAttempt {
  /** Public id of the event. */
  readonly eventId: string;
  readonly attempt: number;
  /** Of what made the event true; null where that was not traced. */
  readonly traceparent: string | null;
  /** From the end on. */
  result?: { status: number | null; error: string | null };
  error?: unknown;
}

export const PROVIDER_TRIES = tracingChannel<unknown, ProviderTry>('holdfast:provider');
export const WEBHOOK_ATTEMPTS = tracingChannel<unknown, WebhookAttempt>('holdfast:webhook');

/** Asks whoever traces for the present span. */
export const TRACEPARENT = channel('holdfast:traceparent');

/** A question on that channel, to be answered in place. */
export interface TraceparentAsked {
  traceparent: string | null;
}

/** W3C traceparent (Trace Context, section 3.2) of what the present flow is part of; null where nothing is traced. */
export function traceparent(): string | null {
  if (!TRACEPARENT.hasSubscribers) return null;
  const asked: TraceparentAsked = { traceparent: null };
  TRACEPARENT.publish(asked);
  return asked.traceparent;
}
