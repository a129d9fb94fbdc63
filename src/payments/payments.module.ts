import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CONFIG, type Config } from '../kernel/config.js';
import { OrdersModule } from '../orders/orders.module.js';
import { CancelRefundStep } from './cancel-refund.step.js';
import { CancellationController } from './cancellation.controller.js';
import { CancellationService } from './cancellation.service.js';
import { ChargeStep } from './charge.step.js';
import { DeadlineRefundStep } from './deadline-refund.step.js';
import { DecideStep } from './decide.step.js';
import { DecisionsController } from './decisions.controller.js';
import { DecisionsService } from './decisions.service.js';
import { LateCharges } from './late-charges.js';
import { LateRefundStep } from './late-refund.step.js';
import { PaymentEnds } from './payment-ends.js';
import { CompensateStep } from './compensate.step.js';
import { Payment, Refund } from './payment.entity.js';
import { Metrics } from '../observability/metrics.registry.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsFigures } from './payments.figures.js';
import { PaymentsService } from './payments.service.js';
import { ProviderBooks } from './provider-books.js';
import { ProviderEventsPurger } from './provider-events.purger.js';
import { ProviderEventsService } from './provider-events.service.js';
import { ProviderWebhooksController } from './provider-webhooks.controller.js';
import { adapterOf } from './provider/adapter.js';
import { GuardedProvider } from './provider/guarded-provider.js';
import { MeasuredProvider } from './provider/measured-provider.js';
import { PROVIDER } from './provider/provider.js';
import { NoEvents, SIGNED_EVENTS, StandardEvents, type SignedEvents } from './provider/signed-event.js';
import { StripeEvents } from './provider/stripe-events.js';
import { RefundStep } from './refund.step.js';
import { RefundsService } from './refunds.service.js';
import { RestoreGate } from './restore/restore-gate.js';

@Module({
  imports: [OrdersModule, TypeOrmModule.forFeature([Payment, Refund])],
  controllers: [PaymentsController, CancellationController, DecisionsController, ProviderWebhooksController],
  providers: [
    {
      provide: PROVIDER,
      inject: [CONFIG, Metrics],
      useFactory: async (config: Config, metrics: Metrics) =>
        new GuardedProvider(new MeasuredProvider(await adapterOf(config), metrics), config.providerTimeout, () =>
          metrics.count('payments_provider_held_back_total', {}),
        ),
    },
    { provide: SIGNED_EVENTS, inject: [CONFIG], useFactory: signedEventsOf },
    RestoreGate,
    PaymentsService,
    RefundsService,
    CancellationService,
    ProviderEventsService,
    ProviderEventsPurger,
    ProviderBooks,
    LateCharges,
    PaymentEnds,
    PaymentsFigures,
    DecisionsService,
    DecideStep,
    LateRefundStep,
    ChargeStep,
    RefundStep,
    CompensateStep,
    DeadlineRefundStep,
    CancelRefundStep,
  ],
  exports: [RestoreGate],
})
export class PaymentsModule {}

function signedEventsOf({ provider, providerWebhookSecret: secret }: Config): SignedEvents {
  if (!secret) return new NoEvents();
  return provider === 'sandbox' ? new StandardEvents(secret) : new StripeEvents(secret);
}
