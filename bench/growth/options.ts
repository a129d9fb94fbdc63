import { parseArgs } from 'node:util';
import type { KeyStyle } from '../requests.js';

const STYLES = ['uuidv7', 'random'] as const satisfies readonly KeyStyle[];
const PARTS = ['records', 'purge', 'memory'] as const;

/** One of the three measurements, each of which can be had alone. */
export type Part = (typeof PARTS)[number];

/** What to measure, and how much of it. */
export interface Options {
  json: boolean;
  only: ReadonlySet<Part>;
  /** Styles of keys to fill with. */
  keys: readonly KeyStyle[];
  /** Numbers of records; the smallest is what the others are compared to. */
  records: readonly number[];
  /** Requests to one database in one round. */
  requests: number;
  rounds: number;
  /** Expired records that one purge moves. */
  purgeRows: number;
  memoryRequests: number;
}

/** How the command is called. */
export const USAGE = `npm run bench:growth -- [--json] [--only ${PARTS.join('|')}]... [--keys ${STYLES.join('|')}]... [--records 0,1000000,10000000] [--requests 3000]
    [--rounds 10] [--purge-rows 1000000] [--memory-requests 1000000]`;

/** @throws Error when an option is unknown or its value is none */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [...PARTS] },
      keys: { type: 'string', multiple: true, default: [...STYLES] },
      records: { type: 'string', default: '0,1000000,10000000' },
      requests: { type: 'string', default: '3000' },
      rounds: { type: 'string', default: '10' },
      'purge-rows': { type: 'string', default: '1000000' },
      'memory-requests': { type: 'string', default: '1000000' },
    },
  });
  return {
    json: values.json,
    only: new Set(values.only.map((text) => oneOf(PARTS, text))),
    keys: [...new Set(values.keys.map((text) => oneOf(STYLES, text)))],
    records: [...new Set(values.records.split(',').map((text) => whole(text, 0)))].sort((a, b) => a - b),
    requests: whole(values.requests, 1),
    rounds: whole(values.rounds, 1),
    purgeRows: whole(values['purge-rows'], 1),
    memoryRequests: whole(values['memory-requests'], 1),
  };
}

function oneOf<Name extends string>(names: readonly Name[], text: string): Name {
  const found = names.find((name) => name === text);
  if (!found) throw new Error(`${text} is none of ${names.join(', ')}`);
  return found;
}

function whole(text: string, least: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least)) throw new Error(`${text} is not a whole number of at least ${least}`);
  return value;
}
