import { Module, type DynamicModule } from '@nestjs/common';
import { CoreFigures } from './core.figures.js';
import { MetricsController } from './metrics.controller.js';
import { Metrics } from './metrics.registry.js';
import { PoolFigures } from './pool.figures.js';

/** Serves /metrics. */
@Module({})
export class ObservabilityModule {
  static with(metrics: Metrics): DynamicModule {
    return {
      module: ObservabilityModule,
      global: true,
      controllers: [MetricsController],
      providers: [{ provide: Metrics, useValue: metrics }, CoreFigures, PoolFigures],
      exports: [Metrics],
    };
  }
}
