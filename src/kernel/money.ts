import type { ValueTransformer } from 'typeorm';

/** Largest amount, in a currency's minor unit; the tables' CHECKs say the same. */
export const MAX_AMOUNT = 999_999_999_999;

/** node-postgres reads bigint as text; amounts are bounded by a CHECK well within the safe integers, so they are numbers here. */
export const bigintAsNumber: ValueTransformer = {
  from: (value: string | null) => (value === null ? null : Number(value)),
  to: (value: number | null | undefined) => value,
};
