import { Controller, Get, Header } from '@nestjs/common';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { Public } from '../accounts/access.guard.js';
import type { RequestOutcome } from '../idempotency/index.js';
import { Api } from '../openapi/api.decorator.js';

/** Every metric of this process, declared once. */
export class Metrics {
  readonly registry = new Registry();

  private readonly requests = new Counter({
    name: 'idempotency_requests_total',
    help: 'Requests with an idempotency key, by operation, what became of them, and the reason that the client gave for a retry',
    labelNames: ['operation', 'outcome', 'retry_reason'],
    registers: [this.registry],
  });

  private readonly audited = new Gauge({
    name: 'holdfast_audit_differences',
    help: 'Differences between records, business rows and the provider, by kind; absent where the last audit could not be made here',
    labelNames: ['kind'],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Looking a combination of labels up costs several times as much as counting it; there are as many as routes, outcomes and reasons. */
  private readonly counters = new Map<string, ReturnType<Counter['labels']>>();

  /** The core calls it once for each request with a key, whatever became of it. */
  observe({ operation, outcome, retryReason = '' }: RequestOutcome): void {
    const id = `${operation} ${outcome} ${retryReason}`;
    const counter = this.counters.get(id) ?? this.requests.labels({ operation, outcome, retry_reason: retryReason });
    this.counters.set(id, counter);
    counter.inc();
  }

  /** Shows what the last audit found, by kind; null: nothing is known. */
  showAudit(differences: ReadonlyMap<string, number> | null): void {
    this.audited.reset();
    for (const [kind, count] of differences ?? []) this.audited.set({ kind }, count);
  }
}

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
    return this.metrics.registry.metrics();
  }
}
