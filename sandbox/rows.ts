import { randomUUID } from 'node:crypto';
import type { ChargeRequest, RefundRequest } from './requests.js';

/** A charge, as the provider shows it. */
export interface ChargeRow extends Omit<ChargeRequest, 'metadata'> {
  id: string;
  createdAt: string;
}

/** A refund, as the provider shows it. */
export interface RefundRow extends Required<Omit<RefundRequest, 'reason' | 'metadata'>> {
  id: string;
  createdAt: string;
}

/** What a customer wanted to find with a row. */
export interface Metadata {
  metadata: Record<string, string> | null;
}

/** What a look-up has besides the row's own members. */
export interface Found extends Metadata {
  status: string;
}

/** The columns of a ChargeRow. */
export const CHARGE = `id, reference, amount::float8 AS amount, currency, source, ${iso('created_at')} AS "createdAt"`;
/** The columns of a RefundRow. */
export const REFUND = `id, charge_id AS "chargeId", reference, amount::float8 AS amount, currency, ${iso('created_at')} AS "createdAt"`;

/** The rows of a query, as whoever wrote its SQL knows them. */
export async function rows<Row>(query: Promise<{ rows: unknown[] }>): Promise<Row[]> {
  return (await query).rows as Row[];
}

/** What came without metadata is answered without them. */
export function withoutNull<Row extends Metadata>(found: Row[]) {
  return found.map(({ metadata, ...row }) => (metadata === null ? row : { ...row, metadata }));
}

/** A time as JSON has it. */
export function iso(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** An id that nobody can guess. */
export function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}
