import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payments, refunds, and the inbox of the provider's webhooks. */
export class Payments1700000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE payments (
        account_id         uuid        NOT NULL,
        id                 uuid        NOT NULL,
        order_id           uuid        NOT NULL,
        operation_id       uuid        NOT NULL,
        status             text        NOT NULL CONSTRAINT payments_status_check CHECK (status IN ('processing', 'succeeded', 'failed')),
        amount             bigint      NOT NULL CONSTRAINT payments_amount_check CHECK (amount BETWEEN 1 AND 999999999999),
        currency           text        NOT NULL,
        -- The provider's token for a card or account; never a card number.
        source             text        NOT NULL,
        -- What the provider finds the charge by when its answer was lost.
        reference          text        NOT NULL,
        provider_reference text,
        failure_code       text,
        -- Refunds that succeeded, and those together with the ones under way: whatever races, they never exceed the payment.
        amount_refunded    bigint      NOT NULL DEFAULT 0,
        amount_reserved    bigint      NOT NULL DEFAULT 0,
        -- Why a person must look at it; null when all is well.
        review_reason      text,
        created_at         timestamptz NOT NULL,
        updated_at         timestamptz NOT NULL,
        CONSTRAINT payments_pkey PRIMARY KEY (account_id, id),
        CONSTRAINT payments_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES orders (account_id, id),
        CONSTRAINT payments_refunds_check CHECK (0 <= amount_refunded AND amount_refunded <= amount_reserved AND amount_reserved <= amount)
      );
      -- An order is paid once, whatever races: at most one payment of it is under way or succeeded and not taken back.
      CREATE UNIQUE INDEX payments_one_per_order_idx ON payments (account_id, order_id) WHERE status IN ('processing', 'succeeded');
      CREATE INDEX payments_order_idx ON payments (account_id, order_id, id);
      CREATE INDEX payments_status_idx ON payments (account_id, status, id);
      -- What waits for a person is counted at each scrape of the metrics.
      CREATE INDEX payments_review_idx ON payments (account_id) WHERE review_reason IS NOT NULL;
      -- A webhook knows the reference alone.
      CREATE UNIQUE INDEX payments_reference_idx ON payments (reference);

      CREATE TABLE refunds (
        account_id         uuid        NOT NULL,
        id                 uuid        NOT NULL,
        payment_id         uuid        NOT NULL,
        operation_id       uuid        NOT NULL,
        status             text        NOT NULL CONSTRAINT refunds_status_check CHECK (status IN ('processing', 'succeeded', 'failed')),
        amount             bigint      NOT NULL CONSTRAINT refunds_amount_check CHECK (amount BETWEEN 1 AND 999999999999),
        currency           text        NOT NULL,
        reason             text,
        reference          text,
        provider_reference text,
        failure_code       text,
        created_at         timestamptz NOT NULL,
        updated_at         timestamptz NOT NULL,
        CONSTRAINT refunds_pkey PRIMARY KEY (account_id, id),
        CONSTRAINT refunds_payment_fkey FOREIGN KEY (account_id, payment_id) REFERENCES payments (account_id, id)
      );
      CREATE INDEX refunds_payment_idx ON refunds (account_id, payment_id, id);
      CREATE INDEX refunds_operation_idx ON refunds (account_id, operation_id);
      CREATE UNIQUE INDEX refunds_reference_idx ON refunds (reference);

      -- What the provider told us by itself. The id makes a repeated event one event.
      CREATE TABLE provider_events (
        id          text        CONSTRAINT provider_events_pkey PRIMARY KEY,
        type        text        NOT NULL,
        reference   text,
        received_at timestamptz NOT NULL DEFAULT now()
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE provider_events, refunds, payments`);
  }
}
