import { parseArgs } from 'node:util';
import { UsageError } from '../kernel/cli.js';
import { parseDuration } from '../kernel/durations.js';
import { uuidOf } from '../kernel/ids.js';
import { SCOPES, type Scope } from './api-key.js';

/** What `npm run keys` prints when it is asked, or asked wrongly. */
export const USAGE = `Usage: npm run keys -- <command>

  create (--account acct_… | --new-account <name>) --name <name> [--scopes <a,b,…> | --scopes all] [--expires <time>]
      makes a key and prints it, once; without --scopes it opens nothing, without --expires it lives until it is revoked
  list [--account acct_…]
      shows the keys of one account or of all, never their secrets
  rotate key_… [--overlap <time>] [--expires <time>]
      prints a successor with the same account, name and scopes; the old key lives on for the overlap (24h)
  revoke key_…
      ends a key; every replica refuses it within 5 seconds

A time is a whole number with its unit: 30s, 15m, 24h, 90d.
Scopes: ${SCOPES.join(', ')} (admin includes all of them).
With NODE_ENV=production keys begin with hf_live_, else with hf_test_.
`;

const DEFAULT_OVERLAP = '24h';
const MAX_NAME = 255;

/** One thing to do with keys; ids of accounts are uuids, those of keys are without `key_`, times are in milliseconds. */
export type KeysCommand =
  | { do: 'create'; account: { uuid: string } | { newName: string }; name: string; scopes: Scope[]; lifetimeMs: number | null }
  | { do: 'list'; account: string | null }
  | { do: 'rotate'; key: string; overlapMs: number; lifetimeMs: number | null }
  | { do: 'revoke'; key: string };

type OptionName = 'account' | 'new-account' | 'name' | 'scopes' | 'expires' | 'overlap';

/**
 * Reads the command line whole, so that a wrong one changes nothing.
 * @throws UsageError
 */
export function readArguments([command, ...args]: string[]): KeysCommand {
  switch (command) {
    case 'create': {
      const { options } = parse(args, ['account', 'new-account', 'name', 'scopes', 'expires'], 0);
      return {
        do: 'create',
        account: ownerOf(options),
        name: nameOf('--name', options.name),
        scopes: scopesOf(options.scopes),
        lifetimeMs: timeOf('--expires', options.expires),
      };
    }
    case 'list': {
      const { options } = parse(args, ['account'], 0);
      return { do: 'list', account: options.account === undefined ? null : accountUuid(options.account) };
    }
    case 'rotate': {
      const { options, operand } = parse(args, ['overlap', 'expires'], 1);
      const overlapMs = timeOf('--overlap', options.overlap ?? DEFAULT_OVERLAP) ?? 0;
      return { do: 'rotate', key: keyId(operand), overlapMs, lifetimeMs: timeOf('--expires', options.expires) };
    }
    case 'revoke':
      return { do: 'revoke', key: keyId(parse(args, [], 1).operand) };
    default:
      throw new UsageError('The command must be create, list, rotate or revoke.');
  }
}

function parse(args: string[], names: OptionName[], operands: 0 | 1): { options: Partial<Record<OptionName, string>>; operand: string } {
  const { values, positionals } = parsed(args, names);
  if (positionals.length !== operands) {
    throw new UsageError(operands === 0 ? 'This command takes options only.' : 'This command takes the id of one key.');
  }
  return { options: values, operand: positionals[0] ?? '' };
}

function parsed(args: string[], names: OptionName[]): { values: Partial<Record<OptionName, string>>; positionals: string[] } {
  try {
    return parseArgs({ args, options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])), allowPositionals: true });
  } catch (error) {
    // Its message may repeat an argument, and people paste whole keys.
    const valueMissing = error instanceof Error && 'code' in error && error.code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE';
    if (valueMissing) throw new UsageError('An option lacks its value.');
    throw new UsageError(`This command knows ${names.map((name) => `--${name}`).join(', ') || 'no options'}, and nothing else.`);
  }
}

function ownerOf(options: Partial<Record<OptionName, string>>): { uuid: string } | { newName: string } {
  const { account, 'new-account': newName } = options;
  if ((account === undefined) === (newName === undefined)) throw new UsageError('Name either --account or --new-account.');
  return account === undefined ? { newName: nameOf('--new-account', newName) } : { uuid: accountUuid(account) };
}

function accountUuid(text: string): string {
  const uuid = uuidOf('acct', text);
  if (uuid === null) throw new UsageError('--account must be the id of an account: acct_ and 26 letters and digits.');
  return uuid;
}

function keyId(text: string): string {
  const [, id] = /^key_([0-9A-Za-z]{26})$/.exec(text) ?? [];
  if (id === undefined) throw new UsageError('The key must be named by its id, key_ and 26 letters and digits, as `list` shows it.');
  return id;
}

function nameOf(option: string, text = ''): string {
  // Control characters would let a name rewrite the terminal of whoever lists it.
  if (text.trim() === '' || text.length > MAX_NAME || /\p{Cc}/u.test(text)) {
    throw new UsageError(`${option} must be 1 to ${MAX_NAME} characters without control characters.`);
  }
  return text;
}

function scopesOf(text = ''): Scope[] {
  if (text === 'all') return [...SCOPES];
  const wanted = new Set(text.split(',').filter((scope) => scope !== ''));
  const scopes = SCOPES.filter((scope) => wanted.has(scope));
  if (scopes.length !== wanted.size) throw new UsageError('--scopes must be `all` or names from the list of scopes.');
  return scopes;
}

function timeOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  try {
    return parseDuration(text);
  } catch (error) {
    throw new UsageError(`${option} ${(error as Error).message}.`);
  }
}
