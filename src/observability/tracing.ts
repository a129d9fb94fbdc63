import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import type { FastifyInstance } from 'fastify';
import type { RequestOutcome } from '../idempotency/index.js';
import type { TracingSettings } from '../kernel/config.js';
import type { KeyHash } from '../kernel/key-hash.js';
import { TRACEPARENT, type TraceparentAsked } from '../kernel/tracing.js';
import { followActivities } from './activity-spans.js';
import { linkToOriginal, traceRequests } from './request-spans.js';
import { Spans } from './spans.js';

/** How long the end of the process waits for the last spans to leave, in milliseconds. */
const FLUSH_MS = 2_000;

/**
 * Traces of this process, on their way to a collector by OTLP over HTTP. This file and what it imports is loaded only where
 * tracing is configured. What happens is heard on `node:diagnostics_channel`; nobody else knows of OpenTelemetry.
 */
export class Tracing {
  private readonly spans: Spans;

  private constructor(
    private readonly provider: TracerProvider,
    private readonly keyHash: KeyHash,
  ) {
    this.spans = new Spans(provider.getTracer('holdfast'));
    followActivities(this.spans, keyHash);
    TRACEPARENT.subscribe((asked) => ((asked as TraceparentAsked).traceparent = this.spans.traceparent()));
  }

  /** From here on this process traces; to be called once, before the application is made. */
  static start(settings: TracingSettings, keyHash: KeyHash): Tracing {
    const { endpoint, headers, serviceName, resourceAttributes, sampler, exportDelay } = settings;
    const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces`, headers });
    const own = { 'service.instance.id': randomUUID(), ...resourceAttributes, 'service.name': serviceName };
    const provider = new TracerProvider({
      sampler: SAMPLERS[sampler.name](sampler.ratio),
      resource: defaultResource().merge(resourceFromAttributes(own)),
      spanProcessors: [new BatchSpanProcessor({ exporter: new WatchedExporter(exporter), scheduledDelayMillis: exportDelay })],
    });
    return new Tracing(provider, keyHash);
  }

  /** Each request to the application is a span, from its headers to the last byte of its answer. */
  traceRequests(fastify: FastifyInstance): void {
    traceRequests(fastify, this.spans, this.keyHash);
  }

  /** What the core tells of a request, inside of it. */
  observe(outcome: RequestOutcome): void {
    linkToOriginal(this.spans, outcome);
  }

  /** Sends what is left. It takes two seconds at most: a collector that hangs holds up no end. Never rejects. */
  async stop(): Promise<void> {
    await Promise.race([this.provider.shutdown().catch(() => undefined), sleep(FLUSH_MS)]);
  }
}

type SamplerName = TracingSettings['sampler']['name'];

/** As the OpenTelemetry specification names them (Environment Variable Specification, "General SDK Configuration"). */
const SAMPLERS: Record<SamplerName, (ratio: number) => Sampler> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: (ratio) => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
};

/** Tells the log when spans begin to be lost and when they arrive again, instead of each time. */
class WatchedExporter implements SpanExporter {
  private readonly log = new Logger('Tracing');
  private failing = false;

  constructor(private readonly exporter: SpanExporter) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(spans, (result) => {
      const failed = result.code !== ExportResultCode.SUCCESS;
      if (failed && !this.failing)
        this.log.warn(`the collector takes no spans, and they are lost: ${result.error?.message ?? 'no reason'}`);
      if (!failed && this.failing) this.log.log('the collector takes spans again');
      this.failing = failed;
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }
}
