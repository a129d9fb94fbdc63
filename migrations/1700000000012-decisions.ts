import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people decided about payments and refunds of which the provider can't tell. */
export class Decisions1700000000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE payment_decisions (
        account_id         uuid        NOT NULL,
        id                 uuid        NOT NULL,
        -- The operation that is decided, and the payment or refund that it had in hand when the decision was made.
        operation_id       uuid        NOT NULL,
        subject_id         uuid        NOT NULL,
        outcome            text        NOT NULL CONSTRAINT payment_decisions_outcome_check CHECK (outcome IN ('happened', 'did-not-happen')),
        provider_reference text,
        note               text        NOT NULL,
        -- The API key, or the operating system's user.
        actor              text        NOT NULL,
        created_at         timestamptz NOT NULL,
        -- When it was carried out; null where it was not, or not yet.
        settled_at         timestamptz,
        CONSTRAINT payment_decisions_pkey PRIMARY KEY (account_id, id)
      );
      -- The judge: whatever races, one decision settles a payment or refund.
      CREATE UNIQUE INDEX payment_decisions_settled_idx ON payment_decisions (account_id, subject_id) WHERE settled_at IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE payment_decisions`);
  }
}
