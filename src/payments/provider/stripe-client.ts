// oxlint-disable-next-line import/no-named-as-default -- its CommonJS build, which Jest loads, has the default export only
import Stripe from 'stripe';
import { stripeTransport } from './stripe-transport.js';

/** Stripe's SDK. `apiHost`: another address than Stripe's own, of a proxy or a test server; its path is not used. @throws Error without a key */
export function stripeClient(secretKey: string | undefined, apiHost = 'https://api.stripe.com'): Stripe {
  if (!secretKey) throw new Error('PROVIDER=stripe without STRIPE_SECRET_KEY');
  const { protocol, hostname, port } = new URL(apiHost);
  const plain = protocol === 'http:';
  return new Stripe(secretKey, {
    protocol: plain ? 'http' : 'https',
    host: hostname,
    port: port || (plain ? 80 : 443),
    httpClient: stripeTransport,
    // GuardedProvider retries, within one deadline.
    maxNetworkRetries: 0,
    telemetry: false,
  });
}
