import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AUTHENTICATION } from '../database/data-source.js';
import { hasChecksum, type Scope } from './api-key.js';

/** A live API key, as the database has it. */
export interface KnownKey {
  accountId: string;
  /** ISO 4217; of all that the account sells. */
  currency: string;
  keyId: string;
  scopes: ReadonlySet<Scope>;
  mode: string;
  secretHash: Buffer;
  /** Of the monotonic clock; from then on the key has expired. */
  validUntil: number;
}

interface KeyRow {
  id: string;
  account_id: string;
  currency: string;
  mode: string;
  secret_hash: Buffer;
  scopes: Scope[];
  remaining_ms: number | null;
}

const LIVE = 'revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())';

const FIND_KEYS = `
  SELECT k.id, k.account_id, a.currency, k.mode, k.secret_hash, k.scopes,
         extract(epoch FROM k.expires_at - clock_timestamp())::float8 * 1000 AS remaining_ms
    FROM api_keys k JOIN accounts a ON a.id = k.account_id
   WHERE k.id = ANY($1) AND ${LIVE}`;

/** However many keys there are: those that were made here since ids have a checksum are not among them. */
const LIST_IDS = `SELECT id FROM api_keys WHERE NOT id_has_checksum AND ${LIVE}`;
/** How old the list of ids without a checksum may be when an unknown one comes, in milliseconds. */
const LIST_MS = 2_000;

/** Between two looks at the database, so that there are 50 of them a second at most, in milliseconds. */
const PAUSE_MS = 20;

/** Ids that wait for one look at the database, and what it finds. */
interface Batch {
  ids: Set<string>;
  found: Promise<Map<string, KnownKey>>;
}

/**
 * Reads API keys. There is one look at the database at a time, for all ids that have come since the last one began, so that a
 * flood of unknown ids costs few queries and not one for each.
 */
@Injectable()
export class ApiKeyReader {
  private waiting: Batch | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private list: { ids: Promise<Set<string>>; readAt: number } = { ids: Promise.resolve(new Set()), readAt: -Infinity };

  constructor(@InjectDataSource(AUTHENTICATION) private readonly dataSource: DataSource) {}

  /** The live key with this id, or null. */
  async read(id: string): Promise<KnownKey | null> {
    if (!hasChecksum(id) && !(await this.isListed(id))) return null;
    this.waiting ??= this.begin();
    this.waiting.ids.add(id);
    return (await this.waiting.found).get(id) ?? null;
  }

  /** True for the id of an older key, without a checksum; such keys are also made by hand and by older releases. */
  private async isListed(id: string): Promise<boolean> {
    if ((await this.list.ids).has(id)) return true;
    if (performance.now() - this.list.readAt > LIST_MS) this.list = { ids: this.listIds(), readAt: performance.now() };
    return (await this.list.ids).has(id);
  }

  private async listIds(): Promise<Set<string>> {
    try {
      const rows = await this.dataSource.query<{ id: string }[]>(LIST_IDS);
      return new Set(rows.map(({ id }) => id));
    } catch (error) {
      this.list = { ids: Promise.resolve(new Set()), readAt: -Infinity };
      throw error;
    }
  }

  private begin(): Batch {
    const ids = new Set<string>();
    const found = this.last.then(() => {
      this.waiting = undefined;
      return this.find([...ids]);
    });
    this.last = found.catch(() => undefined).then(() => sleep(PAUSE_MS, undefined, { ref: false }));
    return { ids, found };
  }

  private async find(ids: string[]): Promise<Map<string, KnownKey>> {
    // Counted from before the query: a revocation during it is not read, and must not live longer for that.
    const readAt = performance.now();
    const rows = await this.dataSource.query<KeyRow[]>(FIND_KEYS, [ids]);
    return new Map(
      rows.map((row) => [
        row.id,
        {
          accountId: row.account_id,
          currency: row.currency,
          keyId: row.id,
          scopes: new Set(row.scopes),
          mode: row.mode,
          secretHash: row.secret_hash,
          validUntil: row.remaining_ms === null ? Infinity : readAt + row.remaining_ms,
        },
      ]),
    );
  }
}
