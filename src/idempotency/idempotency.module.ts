import { Global, Inject, Module, type DynamicModule, type ModuleMetadata, type OnModuleInit, type Provider } from '@nestjs/common';
import { APP_INTERCEPTOR, DiscoveryModule, DiscoveryService } from '@nestjs/core';
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
  type DataSourceNames,
  type FactoryOptions,
  type IdempotencyAsyncOptions,
  type IdempotencyOptions,
} from './options.js';
import { CommitWatch } from './postgres/commit-watch.js';
import { Distribution } from './postgres/distribution.js';
import { guardConnections } from './postgres/connection-guard.js';
import { joinTransactions } from './postgres/join.js';
import { keepRedirections, refuseWrongHandlers } from './marked-handlers.js';
import { heedOutsideCalls } from './postgres/outside-calls.js';
import { saveStatements } from './postgres/statement-savepoints.js';
import { Figures } from './figures.js';
import { ExceptionFilters } from './http/exception-filters.js';
import { ServerTimeline } from './postgres/server-timeline.js';
import { assertSession } from './postgres/session-settings.js';
import { Idempotency } from './idempotency.service.js';
import { Operations } from './operations.js';
import { Purger } from './records/purger.js';
import { OutsideSettlements } from './steps/outside-settlement.js';
import { Recoverer } from './steps/recoverer.js';
import { ReplayCache } from './requests/replay-cache.js';
import { ReplayCounter } from './requests/replay-counter.js';
import { StepRegistry } from './steps/step-registry.js';
import { StepRunner } from './steps/step-runner.js';

/**
 * The core as a Nest module. Import it once with `forRoot` or `forRootAsync`, beside a TypeORM root module with PostgreSQL; every handler
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
  ) {
    keepRedirections(discovery);
  }

  /** With options that are known when the module is defined. @throws Error as `withDefaults` does */
  static forRoot(options: IdempotencyOptions): DynamicModule {
    return moduleOf(options, { provide: OPTIONS, useValue: withDefaults(options) });
  }

  /** With options that a factory makes of providers, of a configuration for example. A wrong one stops the start. */
  static forRootAsync(options: IdempotencyAsyncOptions): DynamicModule {
    const useFactory = async (...injected: unknown[]): Promise<CompleteOptions> =>
      withDefaults(await (options as { useFactory(...all: unknown[]): FactoryOptions | Promise<FactoryOptions> }).useFactory(...injected));
    return moduleOf(options, { provide: OPTIONS, useFactory, inject: options.inject ?? [] }, options.imports);
  }

  /** @throws Error for a handler that the options don't allow, or naming the settings of the database's sessions under which the statements would mean something else */
  async onModuleInit(): Promise<void> {
    for (const dataSource of this.sources) await assertSession(dataSource);
    refuseWrongHandlers(this.discovery, this.options);
    if (this.options.guardConnections) guardConnections(this.dataSource);
    if (this.options.join) joinTransactions(this.dataSource, [this.recovery]);
    for (const source of new Set([this.dataSource, this.recovery])) {
      if (this.options.statementSavepoints) saveStatements(source);
      if (this.options.outsideCalls !== 'ignore') heedOutsideCalls(source, this.options.outsideCalls);
    }
  }
}

function moduleOf(names: DataSourceNames, options: Provider, imports: ModuleMetadata['imports'] = []): DynamicModule {
  const recovery = names.recoveryDataSource ?? names.backgroundDataSource;
  const all = new Set([undefined, names.backgroundDataSource, recovery, ...(names.otherDataSources ?? [])]);
  return {
    module: IdempotencyModule,
    imports: [DiscoveryModule, ...imports],
    providers: [
      options,
      { provide: BACKGROUND_SOURCE, useExisting: getDataSourceToken(names.backgroundDataSource) },
      { provide: RECOVERY_SOURCE, useExisting: getDataSourceToken(recovery) },
      {
        provide: ALL_SOURCES,
        useFactory: (...sources: DataSource[]) => sources,
        inject: [...all].map((name) => getDataSourceToken(name)),
      },
      ServerTimeline,
      CommitWatch,
      Distribution,
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
      Idempotency,
      Figures,
      ExceptionFilters,
      { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
    ],
    exports: [Operations, Idempotency, Figures],
  };
}
