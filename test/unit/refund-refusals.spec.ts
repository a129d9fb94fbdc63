import { booksDiffer } from '../../src/payments/provider/refund-refusals.js';

it.each(['charge_already_refunded', 'resource_missing', 'charge_disputed', 'invalid_request', 'refund_exceeds_charge'])(
  'a refund refused with %s says that the provider has other books than ours',
  (code) => expect(booksDiffer(code)).toBe(true),
);

it.each(['refund_declined', 'insufficient_funds', 'expired_or_canceled_card', 'failed', 'canceled', 'amount_not_supported', ''])(
  'a refund refused with "%s" is an ordinary refusal',
  (code) => expect(booksDiffer(code)).toBe(false),
);
