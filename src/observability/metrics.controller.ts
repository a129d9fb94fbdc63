import { Controller, Get, Header } from '@nestjs/common';
import { Registry } from 'prom-client';
import { Public } from '../accounts/access.guard.js';
import { Api } from '../openapi/api.decorator.js';
import { Metrics } from './metrics.registry.js';

@Controller('metrics')
@Public()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Api({
    id: 'getMetrics',
    summary: 'Metrics',
    description: 'All metrics of this process in Prometheus’ text format.',
    answers: [
      {
        status: 200,
        description: 'The metrics.',
        texts: {
          'text/plain': 'idempotency_requests_total{operation="POST /v1/orders",outcome="replayed",retry_reason="timeout"} 1\n',
        },
      },
    ],
  })
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  read(): Promise<string> {
    return this.metrics.scrape();
  }
}
