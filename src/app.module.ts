import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessGuard, callerOf } from './accounts/access.guard.js';
import { AccountsModule } from './accounts/accounts.module.js';
import { AuditModule } from './audit/audit.module.js';
import { CatalogModule } from './catalog/catalog.module.js';
import { ConsoleModule } from './console/console.module.js';
import { CONFIG, type Config } from './kernel/config.js';
import { keyHashWith } from './kernel/key-hash.js';
import {
  AUTHENTICATION,
  BACKGROUND,
  RECOVERY,
  authenticationPool,
  backgroundPool,
  mainPool,
  recoveryPool,
} from './database/data-source.js';
import { ENTITIES } from './entities.js';
import { EventsModule } from './events/events.module.js';
import { HealthModule } from './health/health.module.js';
import { BodyGuard } from './http/body.js';
import { Lifecycle } from './http/lifecycle.js';
import { IdempotencyModule, type IdempotencyOptions } from './idempotency/index.js';
import { traceparent } from './kernel/tracing.js';
import { CoreObserver } from './observability/core.observer.js';
import { Metrics } from './observability/metrics.registry.js';
import { ObservabilityModule } from './observability/observability.module.js';
import type { Tracing } from './observability/tracing.js';
import { OperationsModule } from './operations/operations.module.js';
import { OpenApiModule } from './openapi/openapi.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { MONEY_OPERATIONS } from './payments/money-operations.js';
import { PaymentsModule } from './payments/payments.module.js';
import { renderFinal } from './http/problem.filter.js';
import { ProblemsModule } from './problems/problems.module.js';
import { TicketsModule } from './tickets/tickets.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';

/** What a request may take for its steps beyond one call of the provider, in milliseconds. */
const STEP_MARGIN = 2_000;

/** Where the core and this service meet: whose keys they are, what of an error is stored, and from which settings the times come. */
@Module({})
export class AppModule {
  static with(config: Config, tracing?: Tracing): DynamicModule {
    const metrics = new Metrics();
    const lifecycle = new Lifecycle();
    return {
      module: AppModule,
      global: true,
      imports: [
        // Whoever started this process is told at once, and starts it again; Nest would try for half a minute, with a stack each time.
        TypeOrmModule.forRoot({ ...mainPool(config, ENTITIES), toRetry: () => false }),
        TypeOrmModule.forRoot({ ...backgroundPool(config, ENTITIES), name: BACKGROUND, toRetry: () => false }),
        TypeOrmModule.forRoot({ ...recoveryPool(config, ENTITIES), name: RECOVERY, toRetry: () => false }),
        TypeOrmModule.forRoot({ ...authenticationPool(config), name: AUTHENTICATION, toRetry: () => false }),
        IdempotencyModule.forRoot(
          coreOptions(config, { observer: new CoreObserver(metrics, keyHashWith(config.keyHashSalt)), lifecycle, tracing }),
        ),
        AccountsModule,
        CatalogModule,
        OrdersModule,
        PaymentsModule,
        OperationsModule,
        TicketsModule,
        EventsModule,
        WebhooksModule,
        OpenApiModule,
        ConsoleModule,
        ProblemsModule,
        AuditModule,
        HealthModule,
        ObservabilityModule.with(metrics),
      ],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: Lifecycle, useValue: lifecycle },
        // In this order: the body of who has no valid API key is not read.
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_GUARD, useClass: BodyGuard },
      ],
      exports: [CONFIG, Lifecycle],
    };
  }
}

/** What the core is told about this service. */
function coreOptions(
  config: Config,
  { observer, lifecycle, tracing }: { observer: CoreObserver; lifecycle: Lifecycle; tracing: Tracing | undefined },
): IdempotencyOptions {
  return {
    // Its hot path passes `tx` by hand: nothing has to follow asynchronous flows.
    join: false,
    accountOf: (request) => callerOf(request).accountId,
    traceOf: (request) => (request as { id: string }).id,
    render: renderFinal,
    traceparent,
    observe: (outcome) => {
      observer.observe(outcome);
      tracing?.observe(outcome);
    },
    notice: (notice) => observer.notice(notice),
    isClosing: () => lifecycle.closing,
    windowMs: config.window,
    lateRequests: config.lateRequests,
    archiveMs: config.archiveRetention,
    remoteApply: config.paymentsRemoteApply ? MONEY_OPERATIONS : [],
    purgeIntervalMs: config.purgeInterval,
    leaseMs: config.lease,
    accountShare: config.accountShare,
    recoveryIntervalMs: config.recoveryInterval,
    stepBudgetMs: config.providerTimeout + STEP_MARGIN,
    backgroundDataSource: BACKGROUND,
    recoveryDataSource: RECOVERY,
    otherDataSources: [AUTHENTICATION],
  };
}
