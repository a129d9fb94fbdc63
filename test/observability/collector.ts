import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../support/eventually.js';

/** A span as OTLP's JSON has it (opentelemetry-proto, trace.proto), with its attributes by name. */
export interface CollectedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 1: internal, 2: server, 3: client. */
  kind: number;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  /** 2: an error. */
  status: { code?: number };
}

interface Sent {
  resourceSpans: {
    resource: { attributes: Pair[] };
    scopeSpans: { spans: (Omit<CollectedSpan, 'attributes'> & { attributes: Pair[] })[] }[];
  }[];
}

interface Pair {
  key: string;
  value: Record<string, unknown>;
}

/** A collector that takes traces by OTLP over HTTP. */
export class Collector {
  readonly spans: CollectedSpan[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  /** Of the processes that sent something. */
  readonly resources: Record<string, unknown>[] = [];
  /** All that it was sent, as text. */
  text = '';
  /** It takes what comes and never answers. */
  silent = false;
  private readonly waiting = new Set<ServerResponse>();

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  static async start(): Promise<Collector> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const collector = new Collector(server, (server.address() as AddressInfo).port);
    server.on('request', (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (request.url === '/v1/traces') collector.take(request.headers, body);
        if (collector.silent) collector.waiting.add(response);
        else response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    return collector;
  }

  /** The variables that send traces here, without waiting for many of them. */
  get env(): Record<string, string> {
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.port}`, OTEL_BSP_SCHEDULE_DELAY: '20' };
  }

  of(traceId: string): CollectedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** Waits for a span. */
  until(what: string, matches: (span: CollectedSpan) => boolean): Promise<CollectedSpan> {
    return eventually(what, () => this.spans.find(matches), 20_000);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close').catch(() => undefined);
  }

  private take(headers: IncomingHttpHeaders, body: string): void {
    this.text += body;
    this.headers.push(headers);
    for (const { resource, scopeSpans } of (JSON.parse(body) as Sent).resourceSpans) {
      this.resources.push(byName(resource.attributes));
      for (const { spans } of scopeSpans) for (const span of spans) this.spans.push({ ...span, attributes: byName(span.attributes) });
    }
  }
}

function byName(pairs: Pair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));
}
