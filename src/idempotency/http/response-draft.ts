import type { OutgoingHttpHeaders } from 'node:http';
import { isSent, removeHeader, setHeader, type HttpResponse } from './platform.js';

/** Said of a body whose bytes may be others, or of the connection: not sent. */
const OF_THE_BYTES = new Set(['content-length', 'transfer-encoding', 'trailer']);
/** For this client and this moment: sent with this answer, and with no replay of it. */
const OF_THE_MOMENT = new Set(['set-cookie', 'date', 'connection', 'keep-alive']);

/** What was put on the response beside the body. */
export interface Drafted {
  /** Where it was set. */
  status: number | undefined;
  headers: Record<string, string>;
}

/**
 * Status and headers that a handler, or an interceptor around it, sets on the platform's response. They are taken off it again, so that
 * they are sent, now and later, as they were stored, and not at all when nothing was.
 */
export class ResponseDraft {
  private readonly status: number;
  private readonly headers: OutgoingHttpHeaders;

  /** `declared`: headers that Nest has set before, because the route says so. */
  constructor(
    private readonly response: HttpResponse,
    private readonly declared: readonly string[],
  ) {
    this.status = response.statusCode;
    this.headers = response.getHeaders();
  }

  /** What was set since, and is on the response no more. @throws Error when an answer was sent */
  take(): Drafted {
    if (isSent(this.response)) throw new Error(SENT_BY_ITSELF);
    const now = this.response.getHeaders();
    const changed = this.changed(now);
    const status = this.response.statusCode === this.status ? undefined : this.response.statusCode;
    const set = Object.fromEntries(changed.map((name) => [name, now[name]]));
    this.restore(changed);
    const headers: Record<string, string> = {};
    for (const name of this.declared) set[name] ??= this.headers[name];
    for (const [name, value] of Object.entries(set)) {
      if (OF_THE_MOMENT.has(name) && value !== undefined) setHeader(this.response, name, value);
      else if (value !== undefined && !OF_THE_BYTES.has(name)) headers[name] = Array.isArray(value) ? value.join(', ') : String(value);
    }
    return { status, headers };
  }

  /** Makes the response what it was. */
  discard(): void {
    if (!isSent(this.response)) this.restore(this.changed(this.response.getHeaders()));
  }

  private restore(changed: readonly string[]): void {
    if (this.response.statusCode !== this.status) this.response.statusCode = this.status;
    for (const name of changed) {
      const before = this.headers[name];
      removeHeader(this.response, name);
      if (before !== undefined) setHeader(this.response, name, before);
    }
  }

  private changed(now: OutgoingHttpHeaders): string[] {
    const names = new Set([...Object.keys(now), ...Object.keys(this.headers)]);
    return [...names].filter((name) => String(now[name]) !== String(this.headers[name]));
  }
}

/** Said of an answer that left, or was about to, past the core. */
export const SENT_BY_ITSELF =
  'An idempotent handler sends its answer by itself, so that it could not be stored and sent again: return the body, and set no more than status and headers on the response';
