import { Global, Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { APP_INTERCEPTOR, DiscoveryModule, DiscoveryService, Reflector } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Attempts } from './requests/attempt.js';
import { Executor } from './requests/executor.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import {
  ALL_SOURCES,
  BACKGROUND_SOURCE,
  OPTIONS,
  RECOVERY_SOURCE,
  withDefaults,
  type CompleteOptions,
  type IdempotencyOptions,
} from './options.js';
import { guardConnections } from './postgres/connection-guard.js';
import { joinTransactions } from './postgres/join.js';
import { IDEMPOTENT, type IdempotentRoute } from './idempotent.decorator.js';
import { Figures } from './figures.js';
import { ServerTimeline } from './postgres/server-timeline.js';
import { assertSession } from './postgres/session-settings.js';
import { Operations } from './operations.js';
import { Purger } from './records/purger.js';
import { OutsideSettlements } from './steps/outside-settlement.js';
import { Recoverer } from './steps/recoverer.js';
import { ReplayCache } from './requests/replay-cache.js';
import { ReplayCounter } from './requests/replay-counter.js';
import { StepRegistry } from './steps/step-registry.js';
import { StepRunner } from './steps/step-runner.js';

/**
 * The core as a Nest module. Import it once with `forRoot`, beside a TypeORM root module with PostgreSQL; every handler
 * marked `@Idempotent()` is then guarded by the interceptor that it registers.
 */
@Global()
@Module({})
export class IdempotencyModule implements OnModuleInit {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ALL_SOURCES) private readonly sources: readonly DataSource[],
    @Inject(RECOVERY_SOURCE) private readonly recovery: DataSource,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
  ) {}

  static forRoot(options: IdempotencyOptions): DynamicModule {
    const recovery = options.recoveryDataSource ?? options.backgroundDataSource;
    const names = new Set([undefined, options.backgroundDataSource, recovery, ...(options.otherDataSources ?? [])]);
    return {
      module: IdempotencyModule,
      imports: [DiscoveryModule],
      providers: [
        { provide: OPTIONS, useValue: withDefaults(options) },
        { provide: BACKGROUND_SOURCE, useExisting: getDataSourceToken(options.backgroundDataSource) },
        { provide: RECOVERY_SOURCE, useExisting: getDataSourceToken(recovery) },
        {
          provide: ALL_SOURCES,
          useFactory: (...sources: DataSource[]) => sources,
          inject: [...names].map((name) => getDataSourceToken(name)),
        },
        ServerTimeline,
        Executor,
        Attempts,
        ReplayCache,
        StepRegistry,
        StepRunner,
        OutsideSettlements,
        Recoverer,
        ReplayCounter,
        Purger,
        Operations,
        Figures,
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
      ],
      exports: [Operations, Figures],
    };
  }

  /** @throws Error for a handler that is optimistic where repositories join, or naming the settings of the database's sessions under which the statements would mean something else */
  async onModuleInit(): Promise<void> {
    for (const dataSource of this.sources) await assertSession(dataSource);
    if (this.options.guardConnections) guardConnections(this.dataSource);
    if (!this.options.join) return;
    refuseOptimistic(this.discovery, this.reflector);
    joinTransactions(this.dataSource, [this.recovery]);
  }
}

/** What joins writes where the claim may not be won yet, and may run in vain. @throws Error naming the handler */
function refuseOptimistic(discovery: DiscoveryService, reflector: Reflector): void {
  for (const { instance, name } of discovery.getControllers()) {
    const prototype = Object.getPrototypeOf(instance ?? {}) as Record<string, unknown>;
    for (const method of Object.getOwnPropertyNames(prototype)) {
      const handler = method === 'constructor' ? undefined : Object.getOwnPropertyDescriptor(prototype, method)?.value;
      if (typeof handler !== 'function') continue;
      const route = reflector.get<IdempotentRoute | undefined>(IDEMPOTENT, handler as () => void);
      if (route?.optimistic)
        throw new Error(`${String(name)}.${method}: an optimistic handler needs join: false, since what joins may run in vain`);
    }
  }
}
