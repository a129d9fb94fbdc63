import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface Options {
  json: boolean;
  /** Whether the results are kept in the repository. */
  write: boolean;
  rounds: number;
  requests: number;
  baseRows: number;
  /** How long each part of the hot key's workload lasts. */
  hotKeySeconds: number;
}

/** The command line is wrong; the message says how. */
export class UsageError extends Error {}

export const USAGE = `usage: npm run bench -- [options]
  --quick          fewer rounds and requests, in less than four minutes
  --json           one JSON object on standard output instead of tables
  --write          keeps the results of a full run in bench/results.json and bench/results.svg
  --rounds <n>, --requests <n>, --base-rows <n>
                   other amounts: rounds that count, requests of a variant in a round, orders that are there before
`;

/** Many short rounds: the machine's pace changes every few seconds, and what is compared should have the same. */
const FULL = { rounds: 18, requests: 1_000, baseRows: 200_000, hotKeySeconds: 20 };
const QUICK = { rounds: 12, requests: 350, baseRows: 200_000, hotKeySeconds: 10 };
/** Other amounts are for trying something out. */
const OTHER_HOT_KEY_SECONDS = 1;

/** @throws UsageError */
export function readArguments(args: readonly string[]): Options {
  const values = parse(args);
  const given = { rounds: amount(values, 'rounds'), requests: amount(values, 'requests'), baseRows: amount(values, 'base-rows') };
  const others = Object.values(given).some((number) => number !== undefined);
  if (values.write && (values.quick || others)) throw new UsageError('--write keeps the results of a full run only');
  const standard = values.quick ? QUICK : FULL;
  return {
    json: values.json,
    write: values.write,
    rounds: given.rounds ?? standard.rounds,
    requests: given.requests ?? standard.requests,
    baseRows: given.baseRows ?? standard.baseRows,
    hotKeySeconds: given.requests === undefined ? standard.hotKeySeconds : OTHER_HOT_KEY_SECONDS,
  };
}

const flag = { type: 'boolean', default: false } as const;
const number = { type: 'string' } as const;

function parse(args: readonly string[]) {
  try {
    const options = { quick: flag, json: flag, write: flag, rounds: number, requests: number, 'base-rows': number };
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    // Behind the first sentence Node explains how such a thing could be passed on.
    throw new UsageError(error instanceof Error ? error.message.replace(/\. .*/s, '') : String(error));
  }
}

function amount(values: Partial<Record<string, string | boolean>>, name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (typeof text !== 'string' || !/^[1-9]\d{0,7}$/.test(text)) throw new UsageError(`--${name} takes a whole number of 1 or more`);
  return Number(text);
}

/** The options of another command than `npm run bench`: what is asked for in vain ends the process with the usage. */
export function optionsFor(command: string): Options {
  try {
    const read = readArguments(process.argv.slice(2));
    if (read.write) throw new UsageError('--write is for npm run bench');
    return read;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE.replace('npm run bench', `npm run ${command}`)}`);
    process.exit(2);
  }
}
