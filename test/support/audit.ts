import { audit, type AuditReport } from '../../src/audit/auditor.js';
import { parseConfig } from '../../src/kernel/config.js';
import type { PaymentWorld } from './payments.js';

/** Audits a world as `npm run audit` does, with no pause before the second look. */
export function auditWorld(
  world: PaymentWorld,
  settings: { longMs?: number; lateRequests?: 'refuse' | 'execute' } = {},
): Promise<AuditReport> {
  const { longMs, lateRequests = 'refuse' } = settings;
  return audit(
    {
      ...parseConfig(world.database.env),
      provider: 'sandbox',
      providerUrl: world.sandbox.url,
      lateRequests,
      archiveRetention: 400 * 86_400_000,
    },
    { pauseMs: 0, ...(longMs !== undefined && { longMs }) },
  );
}

/** Each difference as `<kind> <subject>`, sorted. */
export function namesOf({ differences }: AuditReport): string[] {
  return differences.flatMap(({ places }) => places.map(({ kind, subject }) => `${kind} ${subject}`)).sort();
}
