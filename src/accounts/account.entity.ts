import { Check, Column, Entity, Index, PrimaryColumn, ManyToOne, JoinColumn } from 'typeorm';

/** Whoever owns orders, payments and tickets. */
@Entity('accounts')
@Check('accounts_currency_check', `currency ~ '^[A-Z]{3}$'`)
export class Account {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'accounts_pkey' })
  id: string;

  @Column('text')
  name: string;

  /** ISO 4217; an account has one. */
  @Column('text')
  currency: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;
}

/** A key of an account; an account may have several live ones, so that they can be rotated without a pause. */
@Entity('api_keys')
@Check('api_keys_mode_check', `mode IN ('test', 'live')`)
@Check('api_keys_hash_check', `octet_length(secret_hash) = 32`)
@Index('api_keys_account_idx', ['accountId'])
@Index('api_keys_unchecked_idx', ['id'], { where: 'NOT id_has_checksum' })
export class ApiKey {
  /** The 26 characters between the mode and the secret. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'api_keys_pkey' })
  id: string;

  /** True where whoever made the key says so. */
  @Column('boolean', { name: 'id_has_checksum', default: false })
  idHasChecksum: boolean;

  @Column('uuid', { name: 'account_id' })
  accountId: string;

  @ManyToOne(() => Account, { nullable: false })
  @JoinColumn({ name: 'account_id', foreignKeyConstraintName: 'api_keys_account_fkey' })
  account?: Account;

  @Column('text')
  name: string;

  @Column('text', { default: 'test' })
  mode: 'test' | 'live';

  @Column('bytea', { name: 'secret_hash' })
  secretHash: Buffer;

  @Column('text', { array: true })
  scopes: string[];

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;
}
