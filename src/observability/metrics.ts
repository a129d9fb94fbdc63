import { Controller, Get, Header } from '@nestjs/common';
import { Counter, Registry, collectDefaultMetrics } from 'prom-client';
import { Public } from '../accounts/access.guard.js';
import type { Outcome } from '../idempotency/index.js';

/** Every metric of this process, declared once. */
export class Metrics {
  readonly registry = new Registry();

  private readonly requests = new Counter({
    name: 'idempotency_requests_total',
    help: 'Requests with an idempotency key, by operation, what became of them, and the reason that the client gave for a retry',
    labelNames: ['operation', 'outcome', 'retry_reason'],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Counts one request with a key. */
  observe({ operation, outcome, retryReason }: Outcome): void {
    this.requests.inc({ operation, outcome, retry_reason: retryReason ?? '' });
  }
}

@Controller('metrics')
@Public()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  /** All metrics in Prometheus' text format. */
  @Get()
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  read(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
