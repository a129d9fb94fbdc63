import { ensureDemoAccounts } from './accounts/demo-accounts.js';
import { inDatabase } from './kernel/cli.js';
import type { Config } from './kernel/config.js';
import { migrate, type Migrated } from './database/migrate.js';

/**
 * Brings the database to where this code needs it, as the owner: migrations, roles, and outside production the demo accounts.
 * `tell` hears a sentence while another process does the same.
 * @throws CommandFailure with a sentence that says what is in the way
 */
export function prepareDatabase(config: Config, tell: (sentence: string) => void): Promise<Migrated> {
  const { databaseOwnerUrl, ownerVariable, databaseIsEmbedded, demoKeys, production } = config;
  return inDatabase({ variable: ownerVariable, embedded: databaseIsEmbedded }, async () => {
    const migrated = await migrate(config, tell);
    if (!production) await ensureDemoAccounts(databaseOwnerUrl, demoKeys);
    return migrated;
  });
}
