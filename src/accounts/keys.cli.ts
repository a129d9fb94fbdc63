import { parseArgs } from 'node:util';
import { DataSource } from 'typeorm';
import { CommandFailure, UsageError, runCommand } from '../cli.js';
import { parseDuration, readConfig, type Config } from '../config.js';
import { databaseOptions } from '../database.js';
import { publicId, uuidOf } from '../ids.js';
import type { ApiKey } from './account.entity.js';
import { AccountsService } from './accounts.service.js';
import { SCOPES, parseApiKey, type Scope } from './api-key.js';

const USAGE = `Usage: npm run keys -- <command>

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

interface Options {
  account?: string;
  'new-account'?: string;
  name?: string;
  scopes?: string;
  expires?: string;
  overlap?: string;
}

type Command = (accounts: AccountsService, mode: 'test' | 'live') => Promise<void>;

await runCommand(USAGE, async () => {
  const args = process.argv.slice(2);
  if (args.length === 0 || args.includes('--help') || args[0] === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  // Read whole before anything is opened: a wrong command line changes nothing.
  const command = read(args);
  const config = readConfig();
  await withAccounts(config, (accounts) => command(accounts, config.production ? 'live' : 'test'));
});

async function withAccounts(config: Config, work: (accounts: AccountsService) => Promise<void>): Promise<void> {
  const dataSource = await new DataSource(databaseOptions(config.databaseUrl, 1)).initialize();
  try {
    await work(new AccountsService(dataSource));
  } finally {
    await dataSource.destroy();
  }
}

function read(args: string[]): Command {
  const [command, ...rest] = args;
  switch (command) {
    case 'create':
      return readCreate(optionsOf(rest, ['account', 'new-account', 'name', 'scopes', 'expires'], 0).options);
    case 'list':
      return readList(optionsOf(rest, ['account'], 0).options);
    case 'rotate':
      return readRotate(optionsOf(rest, ['overlap', 'expires'], 1));
    case 'revoke':
      return readRevoke(optionsOf(rest, [], 1));
    default:
      throw new UsageError('The command must be create, list, rotate or revoke.');
  }
}

function optionsOf(args: string[], names: (keyof Options)[], operands: number): { options: Options; operands: string[] } {
  const parsed = parse(args, names);
  if (parsed.positionals.length !== operands) {
    throw new UsageError(operands === 0 ? 'This command takes options only.' : 'This command takes the id of one key.');
  }
  return { options: parsed.values, operands: parsed.positionals };
}

function parse(args: string[], names: (keyof Options)[]): { values: Options; positionals: string[] } {
  try {
    return parseArgs({ args, options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])), allowPositionals: true });
  } catch (error) {
    // Its message may repeat an argument, and people paste whole keys.
    const missing = (error as NodeJS.ErrnoException).code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE';
    throw new UsageError(
      missing ? 'An option lacks its value.' : `This command knows ${names.map((name) => `--${name}`).join(', ')} only.`,
    );
  }
}

function readCreate(options: Options): Command {
  const { account, 'new-account': newAccount } = options;
  if ((account === undefined) === (newAccount === undefined)) throw new UsageError('Name either --account or --new-account.');
  const uuid = account === undefined ? undefined : accountUuid(account);
  const accountName = newAccount === undefined ? undefined : nameOf('--new-account', newAccount);
  const name = nameOf('--name', options.name);
  const scopes = scopesOf(options.scopes);
  const lifetimeMs = timeOf('--expires', options.expires);
  return async (accounts, mode) => {
    if (uuid !== undefined && !(await accounts.findAccount(uuid))) throw new CommandFailure('There is no such account.');
    const accountId = uuid ?? (await accounts.createAccount(accountName ?? ''));
    const key = await accounts.createKey(accountId, { mode, name, scopes, lifetimeMs });
    if (scopes.length === 0) process.stderr.write('The key has no scopes: it opens nothing. --scopes gives it some.\n');
    printKey(key, publicId('acct', accountId));
  };
}

function readList({ account }: Options): Command {
  const uuid = account === undefined ? undefined : accountUuid(account);
  return async (accounts) => {
    if (uuid !== undefined && !(await accounts.findAccount(uuid))) throw new CommandFailure('There is no such account.');
    const keys = await accounts.listKeys(uuid);
    process.stdout.write(table([['KEY', 'ACCOUNT', 'NAME', 'SCOPES', 'CREATED', 'EXPIRES', 'REVOKED'], ...keys.map(rowOf)]));
  };
}

function readRotate({ options, operands }: { options: Options; operands: string[] }): Command {
  const id = keyId(operands[0]);
  const overlapMs = timeOf('--overlap', options.overlap ?? DEFAULT_OVERLAP) ?? 0;
  const lifetimeMs = timeOf('--expires', options.expires);
  return async (accounts, mode) => {
    const successor = await accounts.rotateKey(id, { mode, overlapMs, lifetimeMs });
    if (!successor) throw new CommandFailure('There is no live key with this id.');
    process.stderr.write(`key_${id} lives on for ${options.overlap ?? DEFAULT_OVERLAP} at most.\n`);
    printKey(successor.text, publicId('acct', successor.accountId));
  };
}

function readRevoke({ operands }: { operands: string[] }): Command {
  const id = keyId(operands[0]);
  return async (accounts) => {
    if (!(await accounts.revokeKey(id))) throw new CommandFailure('There is no key with this id that is not revoked yet.');
    process.stderr.write(`key_${id} is revoked; every replica refuses it within 5 seconds.\n`);
  };
}

/** The key alone on stdout, so that a script can take it from there. */
function printKey(key: string, account: string): void {
  process.stderr.write(`key_${parseApiKey(key)?.id} of ${account}. Keep it now: it cannot be shown again.\n`);
  process.stdout.write(`${key}\n`);
}

function accountUuid(text: string): string {
  const uuid = uuidOf('acct', text);
  if (uuid === null) throw new UsageError('--account must be the id of an account: acct_ and 26 letters and digits.');
  return uuid;
}

function keyId(text = ''): string {
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
  const wanted = text.split(',').filter((scope) => scope !== '');
  const scopes = SCOPES.filter((scope) => wanted.includes(scope));
  if (scopes.length !== new Set(wanted).size) throw new UsageError('--scopes must be `all` or names from the list of scopes.');
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

function rowOf(key: ApiKey): string[] {
  const time = (at: Date | null): string => at?.toISOString() ?? '-';
  const account = publicId('acct', key.accountId);
  return [`key_${key.id}`, account, key.name, key.scopes.join(',') || '-', time(key.createdAt), time(key.expiresAt), time(key.revokedAt)];
}

function table(rows: string[][]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
