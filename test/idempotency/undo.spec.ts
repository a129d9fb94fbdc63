import { Body, Controller, Logger, Post, ServiceUnavailableException } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import {
  Idempotent,
  RecoverableStep,
  Tx,
  next,
  park,
  reply,
  undo,
  type Step,
  type StepEnd,
  type StepRun,
  type Transaction,
} from '../../src/idempotency/index.js';
import type { TestApp } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { countOf } from '../support/ledger.js';
import { startLiftedApp } from '../support/lifted-app.js';

/** When the operation is taken back; until then its first attempt parks, and its first step goes on with the second. */
const plan = { attempt: 1, step: 1 };

abstract class MaybeStep implements Step<null> {
  call(): Promise<null> {
    return Promise.resolve(null);
  }

  settle(_tx: Transaction, subjectId: string, _outcome: null, { attempt, stepNo }: StepRun): Promise<StepEnd> {
    if (attempt === plan.attempt && stepNo === plan.step)
      return Promise.resolve(undo(new ServiceUnavailableException('nobody was reached')));
    return Promise.resolve(stepNo < plan.step ? next(SecondStep, subjectId) : park('not yet'));
  }
}

@RecoverableStep('undo.first')
class FirstStep extends MaybeStep {}

@RecoverableStep('undo.second')
class SecondStep extends MaybeStep {}

@Controller('attempts')
class AttemptsController {
  @Post()
  @Idempotent()
  async attempt(@Tx() tx: Transaction, @Body() _body: object): Promise<ReturnType<typeof next>> {
    await tx.now();
    return next(FirstStep, uuidv7(), reply(202, {}));
  }
}

let database: TestDatabase;
let app: TestApp;
const errors: unknown[] = [];
beforeAll(async () => {
  database = await createDatabase();
  app = await startLiftedApp(database, { controllers: [AttemptsController], providers: [FirstStep, SecondStep] });
  Logger.overrideLogger({ log: () => undefined, warn: () => undefined, error: (line: { err: Error }) => errors.push(line.err.message) });
});
beforeEach(() => errors.splice(0));
afterAll(async () => {
  await app.close();
  await database.drop();
});

const kept = async (key: string): Promise<number[]> => [
  await countOf(database, 'idempotency_records', `key = $1 AND status = 'running'`, [key]),
  await countOf(
    database,
    'idempotency_timeline',
    `event = 'claimed' AND operation_id = (SELECT operation_id FROM idempotency_records WHERE key = $1)`,
    [key],
  ),
];

it('the first attempt of the first step takes the operation back: its record and timeline go, the key is unused', async () => {
  Object.assign(plan, { attempt: 1, step: 1 });
  const key = uuidv7();
  expect((await app.send('POST', '/attempts', { key, body: {} })).status).toBe(503);
  expect(await kept(key)).toEqual([0, 0]);
  expect(await countOf(database, 'idempotency_timeline')).toBe(0);
  Object.assign(plan, { attempt: 0 });
  expect((await app.send('POST', '/attempts', { key, body: { another: 'request' } })).status).toBe(202);
});

it.each([
  ['a later attempt', { attempt: 2, step: 1 }, /^undo: undo\.first is not at its first attempt/],
  ['a later step', { attempt: 1, step: 2 }, /^undo: undo\.second is not at its first attempt, or not the first step/],
])('%s takes nothing back: it may have reached somebody, so the operation stays', async (_which, when, message) => {
  Object.assign(plan, when);
  const key = uuidv7();
  expect((await app.send('POST', '/attempts', { key, body: {} })).status).toBe(202);
  await database.query('UPDATE idempotency_records SET next_run_at = now() WHERE key = $1 AND lease_until IS NULL', [key]);
  await eventually('the undo to be refused', () => errors.length > 0);
  expect(errors[0]).toMatch(message);
  const parked = `key = $1 AND parked_reason LIKE 'an error on this side%'`;
  await eventually('it to be parked', async () => (await countOf(database, 'idempotency_records', parked, [key])) === 1);
  expect(await kept(key)).toEqual([1, 1]);
});
