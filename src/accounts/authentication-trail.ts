import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { FastifyRequest } from 'fastify';
import { PeriodicTask } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import { writeAct } from '../kernel/trail.js';
import { presentedKeyOf, type Caller, type Failure } from './authenticator.js';
import { networkOf } from './rate-limits.js';

/** Failures of one address are told once in this time and then counted, in milliseconds. */
const FAILURES_MS = 60_000;
/** So many addresses are told apart in that time; the failures of others are counted together. */
const ADDRESSES = 100;
/** The use of a key by an address is told once in this time, in milliseconds. */
const SUCCESS_MS = 15 * 60_000;
/** Pairs of a key and an address that are remembered; one that is displaced is told again. */
const PAIRS = 10_000;

/**
 * Writes who came in and who did not. However many fail from however many addresses, this is two lines a minute for each of
 * a hundred addresses, and one for all others.
 */
@Injectable()
export class AuthenticationTrail implements OnModuleDestroy {
  /** Networks whose first failure was told, with the address that it came from and the number of those since. */
  private failures = new Map<string, { address: string; since: number }>();
  private ofOthers = 0;
  /** Until when the use of a key by an address needs no further line, by the monotonic clock. */
  private readonly uses = new LRUCache<string, number>({ max: PAIRS });
  private readonly counting: PeriodicTask;

  constructor() {
    this.counting = new PeriodicTask({ name: 'AuthenticationTrail', intervalMs: FAILURES_MS, run: async () => this.tellCounts() });
    this.counting.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.counting.stop();
    this.tellCounts();
  }

  /** A valid key was used: a line when this address has not used it for a quarter of an hour. */
  succeeded({ accountId, keyId }: Caller, address: string): void {
    const pair = `${keyId} ${address}`;
    const now = performance.now();
    if ((this.uses.get(pair) ?? 0) > now) return;
    this.uses.set(pair, now + SUCCESS_MS);
    writeAct('authentication.succeeded', { accountId: publicId('acct', accountId), keyId: `key_${keyId}`, address });
  }

  /** Somebody was refused: a line for the first one of an address in a minute, the others are counted. */
  failed(reason: Failure, request: FastifyRequest): void {
    const address = request.ip;
    const network = networkOf(address);
    const known = this.failures.get(network);
    if (known) known.since += 1;
    else if (this.failures.size >= ADDRESSES) this.ofOthers += 1;
    else {
      this.failures.set(network, { address, since: 0 });
      const id = presentedKeyOf(request.headers.authorization)?.id;
      writeAct('authentication.failed', { address, keyId: id && `key_${id}`, reason });
    }
  }

  private tellCounts(): void {
    for (const { address, since } of this.failures.values()) {
      if (since > 0) writeAct('authentication.failures-counted', { address, failures: since });
    }
    if (this.ofOthers > 0) writeAct('authentication.failures-counted', { address: undefined, failures: this.ofOthers });
    this.failures = new Map();
    this.ofOthers = 0;
  }
}
