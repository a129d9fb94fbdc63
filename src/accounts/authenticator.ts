import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import { CONFIG, type Config } from '../kernel/config.js';
import { BACKGROUND } from '../database/data-source.js';
import { parseApiKey, secretMatches, type Scope } from './api-key.js';

/** On whose behalf a request comes. */
export interface Caller {
  accountId: string;
  keyId: string;
  scopes: ReadonlySet<Scope>;
}

interface KnownKey extends Caller {
  mode: string;
  secretHash: Buffer;
  /** Of the monotonic clock; from then on the key has expired. */
  validUntil: number;
}

interface KeyRow {
  account_id: string;
  mode: string;
  secret_hash: Buffer;
  scopes: Scope[];
  remaining_ms: number | null;
}

/** Revocation is effective everywhere after this time at most. */
const FRESH_MS = 4_000;
/** From this age on an entry is read again behind the request's back, so that a busy key never waits for the database. */
const STALE_MS = 2_000;
const CACHED_KEYS = 10_000;

/** Tells who presents an API key. Rows are cached for a few seconds, so that the hot path needs no query. */
@Injectable()
export class Authenticator {
  private readonly cache = new LRUCache<string, { key: KnownKey | null; readAt: number }>({ max: CACHED_KEYS });
  private readonly reading = new Map<string, Promise<KnownKey | null>>();

  constructor(
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The caller behind `Bearer <key>`, or null: an unknown, expired or revoked key and a wrong secret look the same. */
  async authenticate(authorization: string | undefined): Promise<Caller | null> {
    const presented = parseApiKey(/^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '');
    if (!presented) return null;
    // Demo keys may have stayed in a database that has become a productive one.
    if (this.config.production && presented.mode === 'test') return null;
    const key = await this.find(presented.id);
    if (!key || !secretMatches(presented.secret, key.secretHash) || key.mode !== presented.mode) return null;
    return key.validUntil > performance.now() ? key : null;
  }

  private find(id: string): KnownKey | null | Promise<KnownKey | null> {
    const cached = this.cache.get(id);
    const age = cached ? performance.now() - cached.readAt : Infinity;
    if (!cached || age > FRESH_MS) return this.read(id);
    // A failed refresh is no failure of this request: the entry is still fresh, and the next one will wait for the answer.
    if (age > STALE_MS) this.read(id).catch(() => undefined);
    return cached.key;
  }

  private read(id: string): Promise<KnownKey | null> {
    const running = this.reading.get(id);
    if (running) return running;
    const reading = this.query(id).finally(() => this.reading.delete(id));
    this.reading.set(id, reading);
    return reading;
  }

  private async query(id: string): Promise<KnownKey | null> {
    // Counted from before the query: a revocation during it is not read, and must not live longer for that.
    const readAt = performance.now();
    const [row] = await this.dataSource.query<KeyRow[]>(
      `SELECT account_id, mode, secret_hash, scopes, extract(epoch FROM expires_at - clock_timestamp())::float8 * 1000 AS remaining_ms
         FROM api_keys
        WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())`,
      [id],
    );
    const key = row
      ? {
          accountId: row.account_id,
          keyId: id,
          scopes: new Set(row.scopes),
          mode: row.mode,
          secretHash: row.secret_hash,
          validUntil: row.remaining_ms === null ? Infinity : readAt + row.remaining_ms,
        }
      : null;
    this.cache.set(id, { key, readAt });
    return key;
  }
}
