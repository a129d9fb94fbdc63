import type { Config } from '../../kernel/config.js';
import type { Provider } from './provider.js';
import { SandboxProvider } from './sandbox-provider.js';

/** Which provider, and how it is reached. */
export type ProviderConfig = Pick<Config, 'provider' | 'providerUrl' | 'stripeSecretKey' | 'stripeApiHost'>;

/** The configured provider, without bounds. */
export async function adapterOf({ provider, providerUrl, stripeSecretKey, stripeApiHost }: ProviderConfig): Promise<Provider> {
  if (provider === 'sandbox') return new SandboxProvider(providerUrl);
  // Loaded where it is used only: Stripe's SDK takes 150 ms and 18 MB of a start.
  const { StripeProvider } = await import('./stripe-provider.js');
  return new StripeProvider(stripeSecretKey, stripeApiHost);
}
