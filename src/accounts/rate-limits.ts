import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiterMemory, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { DataSource } from 'typeorm';
import { AUTHENTICATION } from '../database/data-source.js';
import { Problem } from '../http/problem.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { SharedCounters, type Quota } from './shared-counters.js';

/** Failed authentications of one address in one minute. */
const FAILURES = 300;
const FAILURES_SECONDS = 60;

/** How an account stands after a request of it was counted. */
interface Standing {
  isOver: boolean;
  /** Seconds until all of the quota is there again, 1 or more. */
  resetSeconds: number;
}

/**
 * Counts requests of accounts, and failed authentications of addresses: these alone, so that a proxy full of good clients is not
 * one client. By default each replica counts for itself: that costs no round trip, and behind n of them a client may get n times as
 * much. With `RATE_LIMIT_STORE=postgres` they count together, for a statement per request.
 */
@Injectable()
export class RateLimits implements OnModuleDestroy {
  private readonly accounts: RateLimiterAbstract;
  private readonly failures: RateLimiterAbstract;
  private readonly shared: SharedCounters | undefined;
  /** Addresses that have failed too often, and until when, by the monotonic clock. */
  private readonly blocked = new Map<string, number>();
  private readonly policy: string;

  constructor(
    @Inject(CONFIG) { rateLimit: { requests, milliseconds }, rateLimitStore }: Config,
    @InjectDataSource(AUTHENTICATION) dataSource: DataSource,
  ) {
    this.shared = rateLimitStore === 'postgres' ? new SharedCounters(dataSource) : undefined;
    const counterOf = (quota: Quota): RateLimiterAbstract => this.shared?.counterOf(quota) ?? new RateLimiterMemory(quota);
    this.accounts = counterOf({ name: 'account', points: requests, duration: milliseconds / 1_000 });
    this.failures = counterOf({ name: 'address', points: FAILURES, duration: FAILURES_SECONDS });
    this.policy = `"default";q=${requests};w=${Math.ceil(milliseconds / 1_000)}`;
  }

  async onModuleDestroy(): Promise<void> {
    await this.shared?.close();
  }

  /** Counts a request of the account and tells the client how it stands (draft-ietf-httpapi-ratelimit-headers-10). */
  async count(accountId: string, reply: FastifyReply): Promise<Standing> {
    const { isOver, remaining, resetSeconds } = await consume(this.accounts, accountId);
    void reply.header('ratelimit-policy', this.policy).header('ratelimit', `"default";r=${remaining};t=${resetSeconds}`);
    return { isOver, resetSeconds };
  }

  /** @throws Problem `rate-limited` for an address that has failed too often, whatever it sends */
  checkAddress(request: FastifyRequest): void {
    // Nearly always; to find out the address costs more than to look here.
    if (this.blocked.size === 0) return;
    const address = networkOf(request.ip);
    const left = (this.blocked.get(address) ?? 0) - performance.now();
    if (left > 0) throw limited(Math.ceil(left / 1_000), 'Too many authentications from this address have failed.');
    this.blocked.delete(address);
  }

  /** Counts a failed authentication. */
  async countFailure(request: FastifyRequest): Promise<void> {
    const address = networkOf(request.ip);
    const { remaining, resetSeconds } = await consume(this.failures, address);
    if (remaining === 0) this.block(address, performance.now() + resetSeconds * 1_000);
  }

  private block(address: string, until: number): void {
    const now = performance.now();
    for (const [other, end] of this.blocked) if (end <= now) this.blocked.delete(other);
    this.blocked.set(address, until);
  }
}

/** What an account is told that is over its limit. */
export function refuseOver({ isOver, resetSeconds }: Standing): void {
  if (isOver) throw limited(resetSeconds, 'This account has sent too many requests.');
}

function limited(retryAfter: number, detail: string): Problem {
  return new Problem('rate-limited', detail, { retryAfter });
}

async function consume(limiter: RateLimiterAbstract, key: string): Promise<Standing & { remaining: number }> {
  const standing = await limiter.consume(key).then(
    (result) => ({ isOver: false, result }),
    (result: unknown) => ({ isOver: true, result }),
  );
  // What it rejects with is the same kind of result; anything else is a mistake of its own.
  if (!(standing.result instanceof RateLimiterRes)) throw standing.result;
  const { remainingPoints, msBeforeNext } = standing.result;
  return { isOver: standing.isOver, remaining: remainingPoints, resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1_000)) };
}

/** An IPv4 address, or of an IPv6 one the 64 bits that name a network: whoever has one of its addresses has all of them. */
export function networkOf(ip: string): string {
  if (!ip.includes(':')) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  const [front = '', back] = ip.split('::');
  const groups = front.split(':').filter((group) => group !== '');
  const after = back === undefined || back === '' ? 0 : back.split(':').length;
  const zeros = back === undefined ? 0 : 8 - groups.length - after;
  return [...groups, ...Array.from({ length: Math.max(zeros, 0) }, () => '0'), ...(back ?? '').split(':')].slice(0, 4).join(':');
}
