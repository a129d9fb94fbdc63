import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { KEY_A, startWorld, type World } from '../support/app.js';
import { publicId } from '../../src/kernel/ids.js';
import { Gate } from './support/gate.js';

let world: World;
let gate: Gate;
let directory: string;
let reference: string;
let buyer: Buyer;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  gate = await Gate.start(world.url);
  directory = mkdtempSync(join(tmpdir(), 'holdfast-buyer-'));
  reference = uuidv7();
  buyer = new Buyer('buy');
});
afterEach(async () => {
  await buyer.kill();
  await gate.close();
  rmSync(directory, { recursive: true, force: true });
});
afterAll(() => world.close());

/** What a buyer's process tells. */
interface Told {
  step: 'prepared' | 'answered' | 'stored' | 'finished';
  what: any;
}

/** A process of support/buyer.mjs, on the store of this test. */
class Buyer {
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(task: 'buy' | 'finish') {
    this.child = fork(join(__dirname, 'support/buyer.mjs'), [task, gate.url, KEY_A, directory, reference], {
      execArgv: [],
      env: { PATH: process.env['PATH'] },
    });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  /** Waits until it tells that it has come so far; returns what it tells beside. */
  async reaches(step: Told['step']): Promise<any> {
    const told = await new Promise<Told>((resolve, reject) => {
      this.child.once('message', (message) => resolve(message as Told));
      void this.ended.then(() => reject(new Error(`the buyer ended before it was ${step}`)));
    });
    expect(told.step).toBe(step);
    return told.what;
  }

  goOn(): void {
    this.child.send('go on');
  }

  /** kill -9, and waits until it is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Starts the shop again, and expects that it ends with the one order there is, under the one key that there ever was. */
async function expectOneOrder(key: string, { requests }: { requests: number }): Promise<void> {
  const again = new Buyer('finish');
  const found = await again.reaches('finished');
  await again.kill();
  const orders = await world.database.query<{ id: string }>('SELECT id FROM orders WHERE customer_reference = $1', [reference]);
  expect(orders).toHaveLength(1);
  expect(found).toEqual([{ key, outcome: expect.objectContaining({ kind: 'done', status: 201 }) }]);
  expect(found[0].outcome.body.id).toBe(publicId('ord', orders[0]?.id ?? ''));
  expect(gate.writes.map(({ headers }) => headers['idempotency-key'])).toEqual(Array(requests).fill(key));
}

it('killed when the intent is prepared: it is ordered once, at the next start', async () => {
  const key = await buyer.reaches('prepared');
  await buyer.kill();
  expect(gate.writes).toEqual([]);
  await expectOneOrder(key, { requests: 1 });
});

it('killed when the request is sent, which never arrives: it is ordered once', async () => {
  const sent = gate.holdNext('before');
  const key = await buyer.reaches('prepared');
  buyer.goOn();
  const request = await sent;
  await buyer.kill();
  request.cut();
  await expectOneOrder(key, { requests: 2 });
});

it('killed when the request is sent, which arrives after its sender’s end: it is ordered once', async () => {
  const sent = gate.holdNext('before');
  const key = await buyer.reaches('prepared');
  buyer.goOn();
  const request = await sent;
  await buyer.kill();
  request.release();
  await expectOneOrder(key, { requests: 2 });
});

it('killed when the answer is on its way: it is ordered once, and the answer is told', async () => {
  const answered = gate.holdNext('after');
  const key = await buyer.reaches('prepared');
  buyer.goOn();
  const answer = await answered;
  await buyer.kill();
  answer.cut();
  await expectOneOrder(key, { requests: 2 });
});

it('killed when the answer has come, before it is stored: it is ordered once, and the answer is told', async () => {
  const key = await buyer.reaches('prepared');
  buyer.goOn();
  await buyer.reaches('answered');
  await buyer.kill();
  await expectOneOrder(key, { requests: 2 });
});

it('killed when the answer is stored: it is told again without another request', async () => {
  const key = await buyer.reaches('prepared');
  buyer.goOn();
  await buyer.reaches('answered');
  buyer.goOn();
  await buyer.reaches('stored');
  await buyer.kill();
  await expectOneOrder(key, { requests: 1 });
});
