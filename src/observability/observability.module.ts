import { Module, type DynamicModule } from '@nestjs/common';
import { Metrics, MetricsController } from './metrics.js';
import { UnfinishedGauges } from './unfinished.js';

/** Serves /metrics. */
@Module({})
export class ObservabilityModule {
  static with(metrics: Metrics): DynamicModule {
    return {
      module: ObservabilityModule,
      global: true,
      controllers: [MetricsController],
      providers: [{ provide: Metrics, useValue: metrics }, UnfinishedGauges],
      exports: [Metrics],
    };
  }
}
