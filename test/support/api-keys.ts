import { generateApiKey, hashSecret, type Scope } from '../../src/accounts/api-key.js';
import type { TestDatabase } from './database.js';
import { ACCOUNT_A } from './ledger.js';

/** Adds an API key to account A and returns its text; `state` makes it one that is no longer valid. */
export async function addApiKey(
  database: Pick<TestDatabase, 'query'>,
  scopes: Scope[],
  state: 'valid' | 'revoked' | 'expired' = 'valid',
): Promise<string> {
  const { id, secret, text } = generateApiKey('test');
  await database.query(
    `INSERT INTO api_keys (id, account_id, name, secret_hash, scopes, revoked_at, expires_at)
     VALUES ($1, $2, 'test', $3, $4, CASE WHEN $5 = 'revoked' THEN now() END, CASE WHEN $5 = 'expired' THEN now() END)`,
    [id, ACCOUNT_A, hashSecret(secret), scopes, state],
  );
  return text;
}
