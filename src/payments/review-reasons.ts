import { publicId } from '../kernel/ids.js';

/** Between two reasons why a person must look at a payment; ProviderBooks' SQL writes the same. */
const BETWEEN = '; ';

/**
 * Adds a reason to those that a payment has; about a refund, in the place of what was said of that refund before. Others' stay.
 */
export function withReason(reasons: string | null, reason: string, refundId?: string): string {
  const text = reason.replaceAll(BETWEEN, ', ');
  const others = refundId === undefined ? reasons : withoutReasonsOf(reasons, refundId);
  return [...split(others), refundId === undefined ? text : reviewMark(refundId) + text].join(BETWEEN);
}

/** What is left when a refund is settled: what other refunds and the provider's books left to be looked at stays. */
export function withoutReasonsOf(reasons: string | null, refundId: string): string | null {
  return (
    split(reasons)
      .filter((reason) => !reason.startsWith(reviewMark(refundId)))
      .join(BETWEEN) || null
  );
}

/** Whether a person must look at this refund. */
export function isRefundFlagged(reasons: string | null, refundId: string): boolean {
  return split(reasons).some((reason) => reason.startsWith(reviewMark(refundId)));
}

/** Each reason by itself, with the refund that it is about, if any. */
export function refundsOf<R extends { id: string }>(reasons: string, refunds: readonly R[]): { refund: R | undefined; reason: string }[] {
  return split(reasons).map((reason) => {
    const refund = refunds.find(({ id }) => reason.startsWith(reviewMark(id)));
    return { refund, reason: refund ? reason.slice(reviewMark(refund.id).length) : reason };
  });
}

function split(reasons: string | null): string[] {
  return reasons?.split(BETWEEN) ?? [];
}

function reviewMark(refundId: string): string {
  return `${publicId('re', refundId)}: `;
}
