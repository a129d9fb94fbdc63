import type { ValueTransformer } from 'typeorm';

/** node-postgres reads bigint as text; amounts are bounded by a CHECK well within the safe integers, so they are numbers here. */
export const bigintAsNumber: ValueTransformer = {
  from: (value: string | null) => (value === null ? null : Number(value)),
  to: (value: number | null | undefined) => value,
};
