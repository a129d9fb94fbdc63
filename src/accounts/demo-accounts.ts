import { DataSource } from 'typeorm';
import { databaseOptions } from '../database/data-source.js';
import { Account, ApiKey } from './account.entity.js';
import { insertAccount } from './accounts.service.js';
import { SCOPES, hashSecret, parseApiKey } from './api-key.js';

/** Their ids are fixed, so that another demo key opens the same account. */
const DEMO_ACCOUNTS = [
  { id: '018bcfe5-6800-7000-8000-00000000000a', name: 'Demo A' },
  { id: '018bcfe5-6800-7000-8000-00000000000b', name: 'Demo B' },
];

/**
 * Makes sure, as the owner, that the two demo accounts exist and that the given keys open them, each with every scope.
 * Processes that start together take turns.
 */
export async function ensureDemoAccounts(ownerUrl: string, keys: readonly [string | undefined, string | undefined]): Promise<void> {
  const owner = await new DataSource(databaseOptions(ownerUrl, 1, [Account, ApiKey])).initialize();
  try {
    await owner.transaction(async (manager) => {
      await manager.query(`SELECT pg_advisory_xact_lock(hashtext('holdfast demo accounts'))`);
      for (const [index, account] of DEMO_ACCOUNTS.entries()) {
        if (!(await manager.findOneBy(Account, { id: account.id }))) await insertAccount(manager, account.id, account.name);
        const key = parseApiKey(keys[index] ?? '');
        if (!key) continue;
        const opens = { name: 'demo', secretHash: hashSecret(key.secret), scopes: [...SCOPES], expiresAt: null, revokedAt: null };
        await manager.upsert(ApiKey, { id: key.id, accountId: account.id, ...opens }, ['id']);
      }
    });
  } finally {
    await owner.destroy();
  }
}
