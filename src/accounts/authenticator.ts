import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CONFIG, type Config } from '../kernel/config.js';
import { ApiKeyReader, type KnownKey } from './api-key.reader.js';
import { parseApiKey, secretMatches, type PresentedKey, type Scope } from './api-key.js';

/** On whose behalf a request comes. */
export interface Caller {
  accountId: string;
  /** The account's, ISO 4217. */
  currency: string;
  keyId: string;
  scopes: ReadonlySet<Scope>;
}

/** Why nobody is known behind a request. For the log alone: a client is told the same of all of them. */
export type Failure =
  /** There is no `Authorization` header. */
  | 'no-key'
  /** What it has is no API key by its form. */
  | 'malformed'
  /** A key of the test mode, in production. */
  | 'test-key'
  /** No live key has this id: it never was one, has expired, or is revoked. */
  | 'unknown-key'
  /** The id is known and the secret, or the mode, is not that of the key. */
  | 'wrong-secret'
  /** It has expired since it was read. */
  | 'expired'
  /** An event that the provider did not sign, or not now. */
  | 'invalid-signature';

/** Revocation is effective everywhere after this time at most. */
const FRESH_MS = 4_000;
/** From this age on an entry is read again behind the request's back, so that a busy key never waits for the database. */
const STALE_MS = 2_000;
const CACHED_KEYS = 10_000;

/** What was found under an id, and when the look began, by the monotonic clock. */
interface Look<Found> {
  found: Found;
  readAt: number;
}

/**
 * Tells who presents an API key. Keys are remembered for a few seconds, so that the hot path needs no query; ids that nobody has
 * are remembered apart, so that they displace no key.
 */
@Injectable()
export class Authenticator {
  private readonly known = new LRUCache<string, Look<KnownKey>>({ max: CACHED_KEYS });
  private readonly unknown = new LRUCache<string, Look<null>>({ max: CACHED_KEYS });

  constructor(
    private readonly keys: ApiKeyReader,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The caller behind `Bearer <key>`, or why there is none. @throws the database's error */
  async authenticate(authorization: string | undefined): Promise<Caller | Failure> {
    const presented = presentedKeyOf(authorization);
    if (!presented) return authorization === undefined ? 'no-key' : 'malformed';
    // Demo keys may have stayed in a database that has become a productive one.
    if (this.config.production && presented.mode === 'test') return 'test-key';
    const key = await this.find(presented.id);
    if (!key) return 'unknown-key';
    if (!secretMatches(presented.secret, key.secretHash) || key.mode !== presented.mode) return 'wrong-secret';
    return key.validUntil > performance.now() ? key : 'expired';
  }

  private find(id: string): KnownKey | null | Promise<KnownKey | null> {
    const look = this.known.get(id) ?? this.unknown.get(id);
    const age = look ? performance.now() - look.readAt : Infinity;
    if (!look || age > FRESH_MS) return this.read(id);
    // A failed refresh is no failure of this request: the entry is still fresh, and the next one will wait for the answer.
    if (look.found && age > STALE_MS) this.read(id).catch(() => undefined);
    return look.found;
  }

  private async read(id: string): Promise<KnownKey | null> {
    const readAt = performance.now();
    const found = await this.keys.read(id);
    if (found) {
      this.unknown.delete(id);
      this.known.set(id, { found, readAt });
    } else {
      this.known.delete(id);
      this.unknown.set(id, { found, readAt });
    }
    return found;
  }
}

/** The API key that the header `Authorization` presents, valid or not; null where it has not the form of one. */
export function presentedKeyOf(authorization: string | undefined): PresentedKey | null {
  return parseApiKey(/^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '');
}
