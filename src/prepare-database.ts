import { ensureDemoAccounts } from './accounts/demo-accounts.js';
import { inDatabase } from './kernel/cli.js';
import type { Config } from './kernel/config.js';
import { migrate, type Migrated, type MigrationListener } from './database/migrate.js';

/**
 * Brings the database to where this code needs it, as the owner: migrations, roles, and outside production the demo accounts.
 * @throws CommandFailure with a sentence that says what is in the way
 */
export function prepareDatabase(config: Config, listener?: MigrationListener): Promise<Migrated> {
  const { databaseOwnerUrl, ownerVariable, databaseIsEmbedded, demoKeys, production } = config;
  return inDatabase({ variable: ownerVariable, embedded: databaseIsEmbedded }, async () => {
    const migrated = await migrate(config, listener);
    if (!production) await ensureDemoAccounts(databaseOwnerUrl, demoKeys);
    return migrated;
  });
}
