// The originals are called with the `this` that belongs to them.
/* oxlint-disable typescript/unbound-method */
import type { PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import { outsideTransaction, presentTransaction } from '../../../src/idempotency/postgres/connection-guard.js';
import { Nesting, type Level } from '../../../src/idempotency/postgres/nesting.js';
import { PostgresTransaction } from '../../../src/idempotency/postgres/postgres-transaction.js';
import { SqlClient } from '../../../src/idempotency/postgres/sql-client.js';
import type { Way } from './rules.js';

/** A way to break the join from outside, and the rules that must notice; all others but those of `besides` must still hold. */
export interface JoinSaboteur {
  name: string;
  breaks: Way[];
  /** Rules that can't be told from these under this saboteur: they are not looked at. */
  besides?: Way[];
  sabotage: () => void;
}

export const SABOTEURS: JoinSaboteur[] = [
  { name: 'nothing is broken', breaks: [], sabotage: () => undefined },
  {
    name: 'what asks for the database inside a handler gets a connection of its own',
    breaks: ['joins'],
    besides: ['twoNestedAtOnce', 'besideANestedOne', 'insideAForeignOne', 'leavesOneOpen', 'endsTheOuterOne', 'goesOnAborted'],
    sabotage: () => letOutside((source) => !isOther(source) && presentTransaction()?.isOver === false),
  },
  {
    name: 'another data source is let through',
    breaks: ['otherSource'],
    sabotage: () => letOutside(isOther),
  },
  {
    name: 'code that outlives its handler is let through',
    breaks: ['outlives'],
    sabotage: () => letOutside(() => presentTransaction()?.isOver === true),
  },
  {
    name: 'nested transactions begin and end whatever else is open',
    breaks: ['twoNestedAtOnce', 'besideANestedOne', 'insideAForeignOne'],
    sabotage: nestAnyhow,
  },
  {
    name: 'a statement may fall into any nested transaction',
    breaks: ['besideANestedOne', 'insideAForeignOne'],
    sabotage: () => void jest.spyOn(Nesting.prototype, 'admit').mockReturnValue(),
  },
  { name: 'what is undone together with a nested transaction is forgotten', breaks: ['insideAForeignOne'], sabotage: endAnyhow },
  {
    name: 'nobody looks whether a nested transaction is open at the end',
    breaks: ['leavesOneOpen'],
    // Asked in the same place.
    besides: ['insideAForeignOne'],
    sabotage: () => void jest.spyOn(Nesting.prototype, 'assertClosed').mockReturnValue(),
  },
  { name: 'a COMMIT is sent as it is', breaks: ['endsTheOuterOne'], sabotage: sendControl },
  {
    name: 'a client works on when its transaction is over',
    breaks: ['clientAfterTheEnd'],
    // The same method names what failed, and saves statements; and what a refused handler left running goes on.
    besides: ['goesOnAborted', 'goesOnSaved', 'twoNestedAtOnce'],
    sabotage: sendAfterTheEnd,
  },
  {
    name: 'the statement that failed first is not told',
    breaks: ['goesOnAborted'],
    sabotage: () => void jest.spyOn(insideOf(SqlClient.prototype), 'named').mockImplementation((error: unknown) => error),
  },
  { name: 'a statement that failed is not undone by its own savepoint', breaks: ['goesOnSaved'], sabotage: undoNoStatement },
];

/** Runners are made outside of the handler's transaction where `isLet` says so. */
function letOutside(isLet: (source: DataSource) => boolean): void {
  const create = DataSource.prototype.createQueryRunner;
  jest.spyOn(DataSource.prototype, 'createQueryRunner').mockImplementation(function (this: DataSource, mode) {
    return isLet(this) ? outsideTransaction(() => create.call(this, mode)) : create.call(this, mode);
  });
}

const isOther = (source: DataSource): boolean => Reflect.get(source.options, 'name') === 'other';

/** What a class keeps to itself. */
function insideOf(prototype: object): Record<string, (...args: never[]) => unknown> {
  return prototype as Record<string, (...args: never[]) => unknown>;
}

function nestAnyhow(): void {
  jest.spyOn(Nesting.prototype, 'begin').mockImplementation(function (this: Nesting, owner: object): Level {
    const level: Level = { owner, byHand: true, foreign: undefined };
    (this as unknown as { levels: Level[] }).levels.push(level);
    return level;
  });
  jest.spyOn(Nesting.prototype, 'admit').mockReturnValue();
  endAnyhow();
}

function endAnyhow(): void {
  jest.spyOn(Nesting.prototype, 'end').mockImplementation(function (this: Nesting) {
    (this as unknown as { levels: Level[] }).levels.pop();
  });
}

function sendControl(): void {
  jest.spyOn(insideOf(SqlClient.prototype), 'nest').mockImplementation(function (this: SqlClient, ...[, text]: unknown[]) {
    return (insideOf(this)['transmit'] as (...args: unknown[]) => unknown).call(this, text, text);
  });
}

function sendAfterTheEnd(): void {
  const clients = new WeakMap<PostgresTransaction, PoolClient>();
  const { client } = PostgresTransaction.prototype;
  jest.spyOn(PostgresTransaction.prototype, 'client').mockImplementation(async function (this: PostgresTransaction) {
    const known = clients.get(this) ?? (await client.call(this));
    clients.set(this, known);
    return known;
  });
  jest.spyOn(insideOf(SqlClient.prototype), 'transmit').mockImplementation(async function (
    this: { tx: PostgresTransaction },
    ...args: unknown[]
  ) {
    const [, sent, values] = args as [string, string, unknown[] | undefined];
    return (await this.tx.client()).query(sent, values);
  } as never);
}

function undoNoStatement(): void {
  const { client } = PostgresTransaction.prototype;
  jest.spyOn(PostgresTransaction.prototype, 'client').mockImplementation(async function (this: PostgresTransaction) {
    const own = await client.call(this);
    const query = (sent: unknown, values?: unknown): unknown =>
      typeof sent === 'string' && sent.startsWith('ROLLBACK TO SAVEPOINT holdfast_statement')
        ? Promise.resolve()
        : Reflect.apply(own.query, own, [sent, values]);
    return new Proxy(own, { get: (target, name) => (name === 'query' ? query : (Reflect.get(target, name) as unknown)) });
  });
}
