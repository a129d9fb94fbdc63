import type { FastifyInstance } from 'fastify';

/** That a route is going away, as its `@Api()` declares it. */
export interface Deprecation {
  /** Since when nobody should begin to use it; a day may lie ahead. ISO 8601, in UTC. */
  since: string;
  /** When it may stop answering, NOTICE_MS after `since` at the earliest; without it that is not settled. */
  sunset?: string;
  /** Address of the page that says what takes its place. */
  guide: string;
}

/** A client has so long, from the day of the deprecation, in milliseconds. */
export const NOTICE_MS = 365 * 86_400_000;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Headers of a route that is deprecated. */
    deprecation?: Record<string, string>;
  }
}

/**
 * The headers that say so: Deprecation (RFC 9745, a structured date), Sunset (RFC 8594, an HTTP date), and Link to the guide.
 * @throws Error for a time that is none, or a sunset without the notice
 */
export function deprecationHeaders({ since, sunset, guide }: Deprecation): Record<string, string> {
  const [from, until] = [timeOf(since), sunset === undefined ? undefined : timeOf(sunset)];
  if (until !== undefined && until < from + NOTICE_MS) throw new Error(`the sunset ${sunset} comes too soon after ${since}`);
  const relations = ['deprecation', ...(until === undefined ? [] : ['sunset'])];
  return {
    deprecation: `@${from / 1000}`,
    ...(until !== undefined && { sunset: new Date(until).toUTCString() }),
    link: relations.map((relation) => `<${guide}>; rel="${relation}"`).join(', '),
  };
}

/** Whatever a deprecated route answers says so: replays as well, which were stored before that was so, and refusals. */
export function announceDeprecations(fastify: FastifyInstance): void {
  fastify.addHook('onSend', ({ routeOptions }, reply, _payload, done) => {
    for (const [name, value] of Object.entries(routeOptions.config?.deprecation ?? {})) {
      // A Link that an answer has already stays in front.
      const own = reply.getHeader(name);
      void reply.header(name, own === undefined ? value : `${String(own)}, ${value}`);
    }
    done();
  });
}

/** In milliseconds since 1970, without a part of a second, which neither header can say. */
function timeOf(iso: string): number {
  const time = Date.parse(iso);
  if (Number.isNaN(time) || !/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$/.test(iso)) throw new Error(`${iso} is no day and no time in UTC`);
  return time;
}
