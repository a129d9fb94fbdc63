import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { DEMO_CURRENCY, insertDemoProducts } from '../catalog/demo-products.js';
import { BACKGROUND } from '../database/data-source.js';
import type { Actor } from '../kernel/actor.js';
import { newId, publicId } from '../kernel/ids.js';
import { writeAct } from '../kernel/trail.js';
import { Account, ApiKey } from './account.entity.js';
import { generateApiKey, hashSecret, type Scope } from './api-key.js';

/** Accounts and their API keys, and who changed them, in the trail. Not on any request's path. */
@Injectable()
export class AccountsService {
  constructor(@InjectDataSource(BACKGROUND) private readonly dataSource: DataSource) {}

  /** Makes an account with the demo catalogue; returns its uuid. */
  async createAccount(actor: Actor, name: string): Promise<string> {
    const accountId = newId();
    await this.dataSource.transaction((manager) => insertAccount(manager, accountId, name));
    writeAct('account.created', { actor, accountId: publicId('acct', accountId) });
    return accountId;
  }

  /** Adds a key to an account. The returned text is shown once: only a hash of its secret is kept. */
  async createKey(actor: Actor, accountId: string, key: NewKey): Promise<string> {
    const { id, text } = await insertKey(this.dataSource.manager, accountId, key);
    writeAct('key.created', { actor, accountId: publicId('acct', accountId), keyId: `key_${id}`, scopes: key.scopes });
    return text;
  }

  listKeys(accountId?: string): Promise<ApiKey[]> {
    return this.dataSource
      .getRepository(ApiKey)
      .find({ where: accountId ? { accountId } : {}, order: { accountId: 'ASC', createdAt: 'ASC' } });
  }

  findAccount(accountId: string): Promise<Account | null> {
    return this.dataSource.getRepository(Account).findOneBy({ id: accountId });
  }

  /**
   * Makes a successor with the same account, name and scopes; the old key lives on for `overlapMs` at most. Null when there is
   * no such live key. One transaction: there is never a successor without an end of the old key.
   */
  async rotateKey(actor: Actor, keyId: string, rotation: Rotation): Promise<{ text: string; accountId: string } | null> {
    const successor = await this.replaceKey(keyId, rotation);
    if (!successor) return null;
    const { accountId, id, text } = successor;
    writeAct('key.rotated', {
      actor,
      accountId: publicId('acct', accountId),
      keyId: `key_${keyId}`,
      successorId: `key_${id}`,
      overlapMs: rotation.overlapMs,
    });
    return { text, accountId };
  }

  private replaceKey(keyId: string, { overlapMs, mode, lifetimeMs }: Rotation): Promise<(InsertedKey & { accountId: string }) | null> {
    return this.dataSource.transaction(async (manager) => {
      const [rows] = await manager.query<[{ account_id: string; name: string; scopes: Scope[] }[], number]>(
        `UPDATE api_keys SET expires_at = least(expires_at, statement_timestamp() + make_interval(secs => $2))
          WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > statement_timestamp())
          RETURNING account_id, name, scopes`,
        [keyId, overlapMs / 1000],
      );
      const [old] = rows;
      if (!old) return null;
      const inserted = await insertKey(manager, old.account_id, { mode, name: old.name, scopes: old.scopes, lifetimeMs });
      return { ...inserted, accountId: old.account_id };
    });
  }

  /** False when there is no such key, or it is revoked already. */
  async revokeKey(actor: Actor, keyId: string): Promise<boolean> {
    const [[revoked]] = await this.dataSource.query<[{ account_id: string }[], number]>(
      `UPDATE api_keys SET revoked_at = statement_timestamp() WHERE id = $1 AND revoked_at IS NULL RETURNING account_id`,
      [keyId],
    );
    if (!revoked) return false;
    writeAct('key.revoked', { actor, accountId: publicId('acct', revoked.account_id), keyId: `key_${keyId}` });
    return true;
  }
}

/** What a new key may do and for how long. */
export interface NewKey {
  mode: 'test' | 'live';
  name: string;
  scopes: Scope[];
  /** In milliseconds; null: until it is revoked. */
  lifetimeMs: number | null;
}

/** How a key is replaced by its successor. */
export interface Rotation extends Pick<NewKey, 'mode' | 'lifetimeMs'> {
  overlapMs: number;
}

/** A key as it was made: the id that may be told, and the text with its secret. */
interface InsertedKey {
  id: string;
  text: string;
}

async function insertKey(manager: EntityManager, accountId: string, { mode, name, scopes, lifetimeMs }: NewKey): Promise<InsertedKey> {
  const key = generateApiKey(mode);
  // The end is counted by the database's clock, as the guard does.
  await manager.query(
    `INSERT INTO api_keys (id, id_has_checksum, account_id, name, mode, secret_hash, scopes, expires_at)
     VALUES ($1, true, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7))`,
    [key.id, accountId, name, mode, hashSecret(key.secret), scopes, lifetimeMs === null ? null : lifetimeMs / 1000],
  );
  return { id: key.id, text: key.text };
}

/** Inserts an account with the demo catalogue. */
export async function insertAccount(manager: EntityManager, accountId: string, name: string): Promise<void> {
  await manager.insert(Account, { id: accountId, name, currency: DEMO_CURRENCY });
  await insertDemoProducts(manager, accountId);
}
