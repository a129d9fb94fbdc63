import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Logger, Post, type Type } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import {
  Figures,
  Idempotent,
  RecoverableStep,
  Tx,
  next,
  park,
  reply,
  type Step,
  type StepEnd,
  type StepRun,
  type Transaction,
} from '../../src/idempotency/index.js';
import { providerKeyOf } from '../../src/idempotency/steps/held-operation.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { TENANT, startLiftedApp } from '../support/lifted-app.js';
import type { TestApp } from '../support/app.js';

/** What all versions print on: until it has paper, prints park. */
const printer = { paper: false, providerKeys: [] as string[] };

interface Version {
  controllers: Type[];
  providers: Type[];
}

/** A version of an application that prints, in which the step has this name. */
function version(name: string, aliases: string[] = []): Version {
  @RecoverableStep(name, { aliases })
  class PrintStep implements Step<boolean> {
    call(_subjectId: string, { providerKey }: StepRun): Promise<boolean> {
      printer.providerKeys.push(providerKey);
      return Promise.resolve(printer.paper);
    }

    settle(_tx: Transaction, subjectId: string, printed: boolean): Promise<StepEnd> {
      return Promise.resolve(printed ? reply(201, { printed: subjectId }) : park('no paper'));
    }
  }

  @Controller('prints')
  class PrintsController {
    @Post()
    @Idempotent()
    async print(@Tx() tx: Transaction): Promise<ReturnType<typeof next>> {
      await tx.now();
      return next(PrintStep, uuidv7(), reply(202, { printed: null }));
    }
  }
  return { controllers: [PrintsController], providers: [PrintStep] };
}

let database: TestDatabase;
const replicas: TestApp[] = [];
const warnings: unknown[] = [];
beforeAll(async () => {
  database = await createDatabase();
});
beforeEach(() => {
  Object.assign(printer, { paper: false, providerKeys: [] });
  warnings.length = 0;
});
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.close();
  await database.query('DELETE FROM idempotency_records');
});
afterAll(() => database.drop());

async function start(of: Version): Promise<TestApp> {
  const replica = await startLiftedApp(database, of);
  replicas.push(replica);
  Logger.overrideLogger({ log: () => undefined, error: () => undefined, warn: (message: unknown) => warnings.push(message) });
  return replica;
}

async function stop(replica: TestApp): Promise<void> {
  replicas.splice(replicas.indexOf(replica), 1);
  await replica.close();
}

const print = (on: TestApp, key: string) => on.send('POST', '/prints', { key, body: {} });
const operation = async (key: string) => {
  const [row] = await database.query<{ status: string; attempt: number; recovery_point: string; response_status: number }>(
    'SELECT status, attempt, recovery_point, response_status FROM idempotency_records WHERE key = $1',
    [key],
  );
  return row;
};
const makeDue = (key: string) => database.query('UPDATE idempotency_records SET next_run_at = now() WHERE key = $1', [key]);
const makeResumable = (key: string) => database.query('UPDATE idempotency_records SET resumable_at = now() WHERE key = $1', [key]);
const completed = (key: string) => eventually('the operation to be finished', async () => (await operation(key))?.status === 'completed');
const figures = (on: TestApp) => on.app.get(Figures, { strict: false }).records();

it('leaves an operation of a step that it does not know to a replica that does, without an attempt in vain', async () => {
  const [key, newer] = [uuidv7(), await start(version('prints.print'))];
  expect((await print(newer, key)).status).toBe(202);
  await stop(newer);
  const older = await start({ ...version('prints.print'), providers: [] });
  await makeDue(key);
  expect(await figures(older)).toMatchObject({ running: 0, parked: 1, unknownStep: 1 });
  await eventually('the recoverer to meet the unknown step', () => warnings.length > 0);
  expect(await print(older, key)).toMatchObject({ status: 409, body: { code: 'idempotency-request-in-progress' } });
  // Two more looks of the recoverer: one line is enough.
  await sleep(4_500);
  expect(warnings).toEqual([expect.objectContaining({ step: 'prints.print' })]);
  expect(await operation(key)).toMatchObject({ status: 'running', attempt: 1 });
  expect(printer.providerKeys).toHaveLength(1);

  printer.paper = true;
  const again = await start(version('prints.print'));
  expect(await figures(again)).toMatchObject({ unknownStep: 0 });
  await completed(key);
  expect(await operation(key)).toMatchObject({ attempt: 2, response_status: 201 });
  const answer = await print(older, key);
  expect([answer.status, answer.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
});

it('takes what it knows though more than it can drive at once of what it does not know is due before', async () => {
  const known = await start(version('prints.print'));
  const key = uuidv7();
  expect((await print(known, key)).status).toBe(202);
  await database.query(
    `INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, recovery_point, subject_id, window_ms,
                                      response_status, response_headers, response_body, next_run_at, created_at)
     SELECT $1, 'unknown-' || n, gen_random_uuid(), 'POST /prints', sha256('x'), 'running', 'prints.bind', $1, 1, 202, '{}', '{}',
            now() - interval '1 hour', now() - interval '1 hour'
       FROM generate_series(1, 50) AS n`,
    [TENANT],
  );
  printer.paper = true;
  await makeDue(key);
  await completed(key);
  expect((await figures(known)).unknownStep).toBe(50);
});

it('finishes what is stored under an earlier name of the step, with the provider key of then', async () => {
  const [key, before] = [uuidv7(), await start(version('print'))];
  expect((await print(before, key)).status).toBe(202);
  await stop(before);
  const after = await start(version('prints.print', ['print']));
  printer.paper = true;
  await makeResumable(key);
  const answer = await print(after, key);
  expect([answer.status, (await operation(key))?.recovery_point]).toEqual([201, 'print']);
  const stored = providerKeyOf({ accountId: TENANT, key, step: 'print', stepNo: 1 });
  expect(printer.providerKeys).toEqual([stored, stored]);
});

it('stores new operations under the new name, which replicas from before the renaming leave alone', async () => {
  const [key, after, before] = [uuidv7(), await start(version('prints.print', ['print'])), await start(version('print'))];
  expect((await print(after, key)).status).toBe(202);
  await makeResumable(key);
  expect(await print(before, key)).toMatchObject({ status: 409, body: { code: 'idempotency-request-in-progress' } });
  printer.paper = true;
  expect((await print(after, key)).status).toBe(201);
  expect(printer.providerKeys).toEqual([1, 2].map(() => providerKeyOf({ accountId: TENANT, key, step: 'prints.print', stepNo: 1 })));
});

it.each<[string, Version, Version]>([
  ['two names are the same', version('print'), version('print')],
  ['an alias is the name of another step', version('print'), version('prints.print', ['print'])],
  ['an alias is its own name', version('other'), version('print', ['print'])],
])('does not start where %s', async (_what, one, other) => {
  const both = { controllers: one.controllers, providers: [...one.providers, ...other.providers] };
  await expect(startLiftedApp(database, both)).rejects.toThrow('two steps are named print');
});
