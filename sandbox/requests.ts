import { z } from 'zod';

/** A request that is answered with an error, changes nothing and is not remembered. `message` is for the caller. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** PostgreSQL stores neither NUL nor half a surrogate pair; JSON can carry both. */
const storable = (text: string) => !text.includes('\0') && !/\p{Surrogate}/u.test(text);

const text = (least: number, most: number) => z.string().min(least).max(most).refine(storable, 'must be well-formed Unicode without NUL');

const reference = text(1, 255);
const amount = z.int().min(1).max(999_999_999_999);
const currency = z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters, such as EUR');

/** Whatever the customer wants to find with its charge or refund. */
const metadata = z.record(text(1, 255), text(0, 500)).optional();

const chargeRequest = z.strictObject({
  reference,
  amount,
  currency,
  source: text(1, 255),
  metadata,
});

const refundRequest = z.strictObject({
  reference,
  chargeId: text(1, 255),
  amount,
  currency: currency.optional(),
  reason: text(0, 500).optional(),
  metadata,
});

export type ChargeRequest = z.infer<typeof chargeRequest>;
export type RefundRequest = z.infer<typeof refundRequest>;

/**
 * Checks something that came in against its schema.
 * @throws Refusal (400) that names every member that is wrong
 */
export function read<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message));
  throw new Refusal(400, 'invalid_request', reasons.join('; '));
}

export const readCharge = (body: unknown): ChargeRequest => read(chargeRequest, body);
export const readRefund = (body: unknown): RefundRequest => read(refundRequest, body);
export const readReference = (query: unknown): string => read(z.strictObject({ reference }), query).reference;

/** @throws Refusal (400) when the `Idempotency-Key` header is missing, malformed, or was sent twice (Node joins those with a comma and a space) */
export function readKey(header: string | string[] | undefined): string {
  if (header === undefined) throw new Refusal(400, 'idempotency_key_missing', 'send an Idempotency-Key header');
  if (typeof header === 'string' && /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new Refusal(400, 'idempotency_key_invalid', 'Idempotency-Key must be 1 to 255 visible ASCII characters');
}

/** The reference a request came with, for the list of requests, where even nonsense is listed. */
export function referenceOf(body: unknown): string | null {
  const parsed = z.object({ reference }).safeParse(body);
  return parsed.success ? parsed.data.reference : null;
}
