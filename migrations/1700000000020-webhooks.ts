import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where accounts want to be told of their events, and what has been told. */
export class Webhooks1700000000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE webhook_endpoints (
        account_id           uuid        NOT NULL,
        id                   uuid        NOT NULL,
        url                  text        NOT NULL,
        types                text[]      NOT NULL,
        description          text,
        status               text        NOT NULL DEFAULT 'enabled',
        -- Why the service disabled it: null where nobody but the account did.
        disabled_reason      text,
        -- Since when every attempt has failed; null when the last one succeeded.
        failing_since        timestamptz,
        secret               text        NOT NULL,
        previous_secret      text,
        previous_valid_until timestamptz,
        -- Events up to here have become deliveries, or were of other types.
        position_transaction bigint      NOT NULL,
        position_event       uuid        NOT NULL,
        created_at           timestamptz NOT NULL,
        updated_at           timestamptz NOT NULL,
        CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (account_id, id),
        CONSTRAINT webhook_endpoints_status_check CHECK (status IN ('enabled', 'disabled'))
      );
      CREATE TABLE webhook_deliveries (
        account_id       uuid        NOT NULL,
        id               uuid        NOT NULL,
        endpoint_id      uuid        NOT NULL,
        event_id         uuid        NOT NULL,
        event_type       text        NOT NULL,
        resource_type    text        NOT NULL,
        resource_id      text        COLLATE "C" NOT NULL,
        resource_version integer     NOT NULL,
        -- What is sent where no row of events has it: a test.
        body             text,
        status           text        NOT NULL DEFAULT 'pending',
        -- Grows with each attempt that begins, so that one whose lease has passed settles nothing.
        attempt          integer     NOT NULL DEFAULT 0,
        -- Failed attempts of this round, and when its first one failed. A redelivery begins a new round.
        failures         integer     NOT NULL DEFAULT 0,
        failing_since    timestamptz,
        next_attempt_at  timestamptz,
        lease_until      timestamptz,
        -- What became of the last attempts, oldest first.
        attempts         jsonb       NOT NULL DEFAULT '[]',
        created_at       timestamptz NOT NULL,
        completed_at     timestamptz,
        CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (account_id, id),
        CONSTRAINT webhook_deliveries_status_check CHECK (status IN ('pending', 'delivered', 'dead'))
      );
      -- One delivery of an event to an endpoint, however often it is sent.
      CREATE UNIQUE INDEX webhook_deliveries_event_key ON webhook_deliveries (account_id, endpoint_id, event_id);
      CREATE INDEX webhook_deliveries_list_idx ON webhook_deliveries (account_id, endpoint_id, id);
      CREATE INDEX webhook_deliveries_pending_idx ON webhook_deliveries (account_id, endpoint_id, resource_id, resource_version)
        WHERE status = 'pending';
      CREATE INDEX webhook_deliveries_created_idx ON webhook_deliveries (created_at);
      -- Whether an earlier version of a resource is still to come.
      CREATE INDEX events_resource_idx ON events (account_id, resource_id, id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX events_resource_idx; DROP TABLE webhook_deliveries; DROP TABLE webhook_endpoints`);
  }
}
