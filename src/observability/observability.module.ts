import { createServer, type Server } from 'node:http';
import { Inject, Module, type DynamicModule, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../kernel/config.js';
import { Metrics, MetricsController } from './metrics.js';
import { UnfinishedGauges } from './unfinished.js';

/** Serves /metrics: beside the API, or on METRICS_PORT alone where that is set. */
@Module({})
export class ObservabilityModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private server: Server | undefined;

  constructor(
    private readonly metrics: Metrics,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  static with(config: Config, metrics: Metrics): DynamicModule {
    return {
      module: ObservabilityModule,
      global: true,
      controllers: config.metricsPort === undefined ? [MetricsController] : [],
      providers: [{ provide: Metrics, useValue: metrics }, UnfinishedGauges],
      exports: [Metrics],
    };
  }

  async onApplicationBootstrap(): Promise<void> {
    const { metricsPort, host } = this.config;
    if (metricsPort === undefined) return;
    const { registry } = this.metrics;
    const server = createServer((request, response) => {
      if (request.url !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(metricsPort, host, resolve));
  }

  onApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }
}
