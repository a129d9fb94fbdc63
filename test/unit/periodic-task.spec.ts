import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { PeriodicTask } from '../../src/idempotency/index.js';
import { eventually } from '../support/eventually.js';

const tasks: PeriodicTask[] = [];
beforeAll(() => Logger.overrideLogger(false));
afterEach(() => Promise.all(tasks.splice(0).map((task) => task.stop())));

/** Runs that end when they are told to; `began` and `ended` count them. */
function task(intervalMs: number) {
  const seen = { began: 0, ended: 0, end: (): void => undefined, fail: (_error: Error): void => undefined };
  const made = new PeriodicTask({
    name: 'Test',
    intervalMs,
    run: async () => {
      seen.began += 1;
      await new Promise<void>((resolve, reject) => Object.assign(seen, { end: resolve, fail: reject }));
      seen.ended += 1;
    },
  });
  tasks.push(made);
  return { task: made, seen };
}

const HOUR = 3_600_000;

it('begins no run while one is in progress, however many ticks go by', async () => {
  const { task: periodic, seen } = task(5);
  periodic.start();
  await eventually('the first run', () => seen.began === 1);
  await sleep(50);
  expect(seen.began).toBe(1);
  seen.end();
  await eventually('the next tick', () => seen.began === 2);
  expect(seen.ended).toBe(1);
  seen.end();
});

it('runs at the next tick after a run that failed', async () => {
  const { task: periodic, seen } = task(5);
  periodic.start();
  await eventually('the first run', () => seen.began === 1);
  seen.fail(new Error('not today'));
  await eventually('the second run', () => seen.began === 2);
  expect(seen.ended).toBe(0);
  seen.end();
});

it('runs at once when it is told to, once more for all who ask during a run, and not before that has ended', async () => {
  const { task: periodic, seen } = task(HOUR);
  periodic.runNow();
  expect(seen.began).toBe(1);
  for (let n = 0; n < 3; n += 1) periodic.runNow();
  expect(seen.began).toBe(1);
  seen.end();
  await eventually('one more run', () => seen.began === 2);
  seen.end();
  await eventually('its end', () => seen.ended === 2);
  await sleep(20);
  expect(seen.began).toBe(2);
});

it('stops when the run in progress has ended, tells that run, and never runs again', async () => {
  const order: string[] = [];
  const periodic = new PeriodicTask({
    name: 'Test',
    intervalMs: 5,
    run: async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await sleep(30);
      order.push('run');
    },
  });
  periodic.start();
  periodic.runNow();
  periodic.runNow();
  await periodic.stop().then(() => order.push('stopped'));
  periodic.start();
  periodic.runNow();
  await sleep(30);
  expect(order).toEqual(['run', 'stopped']);
});
