import { z } from 'zod';
import type { Config } from '../../kernel/config.js';
import type { ProviderConfig } from './adapter.js';
import { elementsOf } from './json-arrays.js';
import type { Origin } from './provider.js';

/** One thing that the provider did: money taken, or with `chargeId` money given back. Amounts in minor units. */
export interface LedgerEntry {
  id: string;
  reference: string;
  amount: number;
  currency: string;
  /** Of a refund, the charge that it is of; null for a charge. */
  chargeId: string | null;
  /** The token that was charged, where it is told. */
  source?: string | undefined;
  /** ISO 8601 */
  createdAt: string;
  /** What the provider was told of whose it is, in public ids. */
  origin: Partial<Origin> & { account?: string | undefined };
}

/** The provider's own books, where it lets us read them. */
export interface ProviderLedger {
  /** Every effect, as of one moment after the call. @throws Error when the ledger can't be read, or `signal` cuts it off */
  ledger(signal?: AbortSignal): AsyncIterable<LedgerEntry>;
}

const metadata = z.looseObject({
  account: z.string().optional(),
  order: z.string().optional(),
  payment: z.string().optional(),
  operation: z.string().optional(),
});
const effect = {
  id: z.string(),
  reference: z.string(),
  amount: z.int(),
  currency: z.string(),
  createdAt: z.string(),
  metadata: metadata.optional(),
};
const charge = z.object({ ...effect, source: z.string().optional() });
const refund = z.object({ ...effect, chargeId: z.string() });

/** The sandbox shows all that it did at `GET /ledger`. */
class SandboxLedger implements ProviderLedger {
  constructor(private readonly baseUrl: string) {}

  async *ledger(signal?: AbortSignal): AsyncGenerator<LedgerEntry> {
    const response = await fetch(`${this.baseUrl}/ledger`, { signal: signal ?? null }).catch((error: unknown) => {
      throw new LedgerUnreadable('it does not answer', { cause: error });
    });
    if (!response.ok || !response.body) throw new LedgerUnreadable(`it answered ${response.status}`);
    for await (const [kind, element] of elementsOf(response.body, new Set(['charges', 'refunds']))) {
      const { metadata: origin = {}, ...entry } = kind === 'charges' ? { ...charge.parse(element), chargeId: null } : refund.parse(element);
      yield { ...entry, origin };
    }
  }
}

/** The provider's ledger could not be read; the message completes "the provider's ledger cannot be read: …". */
export class LedgerUnreadable extends Error {}

/** What the configured provider did since a time, and maybe more: for a comparison after a restore. */
export async function ledgerSince(config: ProviderConfig, since: Date): Promise<ProviderLedger> {
  const whole = ledgerOf(config);
  if (whole) return whole;
  const [{ StripeLedger }, { stripeClient }] = await Promise.all([import('./stripe-ledger.js'), import('./stripe-client.js')]);
  return new StripeLedger(stripeClient(config.stripeSecretKey, config.stripeApiHost), since);
}

/** The ledger of the configured provider; null where the provider has none that could be read whole. */
export function ledgerOf(config: Pick<Config, 'provider' | 'providerUrl'>): ProviderLedger | null {
  return config.provider === 'sandbox' ? new SandboxLedger(config.providerUrl) : null;
}
