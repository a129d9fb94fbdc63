import { actor } from '../kernel/actor.js';
import { CommandFailure, runWithArguments } from '../kernel/cli.js';
import { readConfig } from '../kernel/config.js';
import { asOwner } from '../database/owner-command.js';
import { publicId } from '../kernel/ids.js';
import { Account, ApiKey } from './account.entity.js';
import { AccountsService } from './accounts.service.js';
import { parseApiKey } from './api-key.js';
import { USAGE, readArguments, type KeysCommand } from './keys.arguments.js';

const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

await runWithArguments(USAGE, async (args) => {
  if (args.length === 0) {
    process.stdout.write(USAGE);
    return;
  }
  const command = readArguments(args);
  const config = readConfig();
  await asOwner(config, [Account, ApiKey], (dataSource) =>
    execute(command, new AccountsService(dataSource), config.production ? 'live' : 'test'),
  );
});

function execute(command: KeysCommand, accounts: AccountsService, mode: 'test' | 'live'): Promise<void> {
  switch (command.do) {
    case 'create':
      return create(command, accounts, mode);
    case 'list':
      return list(command, accounts);
    case 'rotate':
      return rotate(command, accounts, mode);
    case 'revoke':
      return revoke(command, accounts);
  }
}

async function create(command: KeysCommand & { do: 'create' }, accounts: AccountsService, mode: 'test' | 'live'): Promise<void> {
  const { account, name, scopes, lifetimeMs } = command;
  const accountId = 'uuid' in account ? await existing(accounts, account.uuid) : await accounts.createAccount(actor(), account.newName);
  const key = await accounts.createKey(actor(), accountId, { mode, name, scopes, lifetimeMs });
  if (scopes.length === 0) say('The key has no scopes: it opens nothing. --scopes gives it some.');
  printKey(key, accountId);
}

async function list({ account }: KeysCommand & { do: 'list' }, accounts: AccountsService): Promise<void> {
  const keys = await accounts.listKeys(account === null ? undefined : await existing(accounts, account));
  process.stdout.write(table([['KEY', 'ACCOUNT', 'NAME', 'SCOPES', 'CREATED', 'EXPIRES', 'REVOKED'], ...keys.map(rowOf)]));
}

async function rotate(command: KeysCommand & { do: 'rotate' }, accounts: AccountsService, mode: 'test' | 'live'): Promise<void> {
  const { key, overlapMs, lifetimeMs } = command;
  const successor = await accounts.rotateKey(actor(), key, { mode, overlapMs, lifetimeMs });
  if (!successor) throw new CommandFailure('There is no live key with this id.');
  say(`key_${key} lives on for ${overlapMs / 1000} seconds at most.`);
  printKey(successor.text, successor.accountId);
}

async function revoke({ key }: KeysCommand & { do: 'revoke' }, accounts: AccountsService): Promise<void> {
  if (!(await accounts.revokeKey(actor(), key))) throw new CommandFailure('There is no key with this id that is not revoked yet.');
  say(`key_${key} is revoked; every replica refuses it within 5 seconds.`);
}

async function existing(accounts: AccountsService, uuid: string): Promise<string> {
  if (!(await accounts.findAccount(uuid))) throw new CommandFailure('There is no such account.');
  return uuid;
}

/** The key alone on stdout, so that a script can take it from there. */
function printKey(key: string, accountId: string): void {
  say(`key_${parseApiKey(key)?.id} of ${publicId('acct', accountId)}. Keep it now: it cannot be shown again.`);
  process.stdout.write(`${key}\n`);
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
