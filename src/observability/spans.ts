import { AsyncLocalStorage } from 'node:async_hooks';
import type { TracingChannel } from 'node:diagnostics_channel';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';

/** A span, and what the spans inside it say of themselves as it does: as much of it as is known when they begin. */
export interface Present {
  span: Span;
  about(): Attributes;
}

/** How something that is told on a channel becomes a span. */
export interface SpanRule<Message> {
  /** What it is as a span; undefined: none. */
  begin(message: Message, parent: Present | undefined): SpanStart | undefined;
  /** What its end says. */
  end(message: Message): SpanEnd;
}

export interface SpanStart {
  name: string;
  kind: SpanKind;
  attributes: Attributes;
  /** Begins a trace of its own, wherever it is. */
  root?: boolean;
  /** What it goes on with: linked to, unless it is its parent. */
  origin?: string | null;
  /** What it says, and all spans inside it. */
  about?: Attributes;
}

export interface SpanEnd {
  attributes?: Attributes;
  /** A class of failure, `error.type`; undefined where it did not fail. */
  failure?: string | undefined;
}

/** The spans of this process: which one a flow is in, and how they begin and end. */
export class Spans {
  private readonly present = new AsyncLocalStorage<Present | undefined>();

  constructor(private readonly tracer: Tracer) {}

  /** The span that the caller's flow is in. */
  get current(): Present | undefined {
    return this.present.getStore();
  }

  /** W3C traceparent of that span; null outside of any. */
  traceparent(): string | null {
    const context = this.current?.span.spanContext();
    if (!context) return null;
    return `00-${context.traceId}-${context.spanId}-${context.traceFlags & TraceFlags.SAMPLED ? '01' : '00'}`;
  }

  /** Runs `work`, and all that follows from it, in a span. */
  run<T>(present: Present, work: () => T): T {
    return this.present.run(present, work);
  }

  /** Begins a span inside `parent`: a span of this process, or the traceparent of somebody else's. */
  start({ name, kind, attributes, root = false, origin = null, about = {} }: SpanStart, parent?: Present | string): Present {
    const around = typeof parent === 'object' && !root ? parent : undefined;
    const shared = { ...around?.about(), ...about };
    const links = around && isOrigin(around.span, origin) ? [] : linksTo(origin);
    const options = { kind, attributes: { ...shared, ...attributes }, links };
    return { span: this.tracer.startSpan(name, options, root ? ROOT_CONTEXT : contextOf(parent)), about: () => shared };
  }

  /** From here on, whatever is told on the channel is a span. */
  follow<Message extends object>(channel: TracingChannel<unknown, Message>, how: SpanRule<Message>): void {
    const begun = new WeakMap<Message, Span>();
    channel.start.bindStore(this.present, (message) => {
      const parent = this.current;
      const start = how.begin(message, parent);
      if (!start) return parent;
      const present = this.start(start, parent);
      begun.set(message, present.span);
      return present;
    });
    channel.asyncEnd.subscribe((told) => {
      const message = told as Message;
      const span = begun.get(message);
      if (span) finish(span, how.end(message));
    });
  }
}

/** Ends a span. */
export function finish(span: Span, { attributes = {}, failure }: SpanEnd): void {
  span.setAttributes(attributes);
  // Classes of failures alone: a message may quote what a client sent.
  if (failure !== undefined) span.setAttribute('error.type', failure).setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** Links a span to the one that a traceparent names, unless it is that span itself. */
export function linkTo(span: Span, origin: string | null): void {
  if (!isOrigin(span, origin)) span.addLinks(linksTo(origin));
}

function isOrigin(span: Span, origin: string | null): boolean {
  return origin !== null && parseTraceParent(origin)?.spanId === span.spanContext().spanId;
}

function linksTo(origin: string | null): Link[] {
  const context = origin === null ? null : parseTraceParent(origin);
  return context ? [{ context: { ...context, isRemote: true } }] : [];
}

function contextOf(parent: Present | string | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  if (typeof parent === 'object') return trace.setSpan(ROOT_CONTEXT, parent.span);
  const context = parseTraceParent(parent);
  return context ? trace.setSpanContext(ROOT_CONTEXT, { ...context, isRemote: true }) : ROOT_CONTEXT;
}
