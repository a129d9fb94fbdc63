import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What became true, each in the transaction that made it so: the outbox of webhooks and what `GET /v1/events` reads. */
export class Events1700000000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE events (
        account_id       uuid        NOT NULL,
        id               uuid        NOT NULL,
        -- pg_current_xact_id()::text::bigint of the transaction that wrote it. Whoever reads forward takes only what is older than every
        -- running transaction, so that what commits late is never passed over.
        transaction_id   bigint      NOT NULL,
        type             text        NOT NULL,
        created_at       timestamptz NOT NULL,
        -- Null where no key was asked for: PUT and DELETE are idempotent without one.
        operation_id     uuid,
        idempotency_key  text,
        resource_type    text        NOT NULL,
        -- The public id.
        resource_id      text        COLLATE "C" NOT NULL,
        resource_version integer     NOT NULL,
        -- json, not jsonb: the view's members stay in the order in which the API sends them.
        data             json        NOT NULL,
        CONSTRAINT events_pkey PRIMARY KEY (account_id, id)
      );
      CREATE INDEX events_forward_idx ON events (account_id, transaction_id, id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE events`);
  }
}
