import 'reflect-metadata';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Idempotency, IdempotencyModule, type Transaction } from '../src/idempotency/index.js';
import { inWorld } from './command.js';
import { median, rounded } from './statistics.js';

/**
 * What it costs that existing code joins: `Idempotency.run` with two statements, in a process of its own for each way, in turn, and the CPU time
 * of that process for each run. Not that of PostgreSQL, which gets the same statements but for savepoints.
 */
const ROUNDS = 7;
const RUNS = 3_000;
const AT_ONCE = 8;

const WRITE = 'INSERT INTO join_bench (text) VALUES ($1)';

interface Way {
  options: { join: boolean; statementSavepoints?: boolean };
  work: (tx: Transaction, dataSource: DataSource) => Promise<unknown>;
}

const byManager: Way['work'] = async (tx) => {
  const manager = await tx.manager();
  await manager.query(WRITE, ['a']);
  return manager.query(WRITE, ['b']);
};
const byDataSource: Way['work'] = async (_tx, dataSource) => {
  await dataSource.query(WRITE, ['a']);
  return dataSource.query(WRITE, ['b']);
};

const WAYS: Record<string, Way> = {
  'by tx.manager(), join: false': { options: { join: false }, work: byManager },
  'by tx.manager(), flows followed': { options: { join: true }, work: byManager },
  joined: { options: { join: true }, work: byDataSource },
  'joined, statementSavepoints': { options: { join: true, statementSavepoints: true }, work: byDataSource },
};

const [, , name = '', url = ''] = process.argv;
const way = WAYS[name];
if (way) process.stdout.write(String(await measure(way, url)));
else await compare();

async function compare(): Promise<void> {
  await inWorld(async (world) => {
    await world.prepare(1_000);
    await world.query('CREATE TABLE join_bench (text text)');
    const micros = new Map<string, number[]>(Object.keys(WAYS).map((one) => [one, []]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [one, found] of micros) found.push(await measuredApart(one, world.postgres.url('holdfast')));
    }
    process.stdout.write(`Node ${process.version}, ${RUNS} runs, medians of ${ROUNDS} rounds\n`);
    for (const [one, found] of micros) process.stdout.write(`${one}: ${rounded(median(found))} µs CPU\n`);
  });
}

function measuredApart(one: string, database: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [one, database], { env: { NODE_ENV: 'production' }, execArgv: [], silent: true });
    let said = '';
    child.stdout?.on('data', (data: Buffer) => (said += data.toString()));
    child.stderr?.pipe(process.stderr);
    child.on('error', reject).on('close', () => resolve(Number(said)));
  });
}

/** Microseconds of this process for one run. */
async function measure({ options, work }: Way, database: string): Promise<number> {
  class JoinModule {}
  Module({
    imports: [
      TypeOrmModule.forRoot({ type: 'postgres', url: database, poolSize: AT_ONCE }),
      IdempotencyModule.forRoot({
        accountOf: () => 'bench',
        render: () => 'not-final',
        background: false,
        guardConnections: false,
        accountShare: 1,
        ...options,
      }),
    ],
  })(JoinModule);
  const app = await NestFactory.createApplicationContext(JoinModule, { logger: false });
  const [idempotency, dataSource] = [app.get(Idempotency), app.get(DataSource)];
  const began = `${process.pid}`;
  let next = 0;
  const runSome = async (until: number): Promise<void> => {
    for (let at = (next += 1); at <= until; at = next += 1) {
      await idempotency.run({ account: 'bench', operation: 'join', key: `${began} ${at}` }, (tx) => work(tx, dataSource));
    }
    next -= 1;
  };
  const all = (until: number): Promise<void[]> => Promise.all(Array.from({ length: AT_ONCE }, () => runSome(until)));
  await all(RUNS / 3);
  const before = process.cpuUsage();
  const from = next;
  await all(from + RUNS);
  const { user, system } = process.cpuUsage(before);
  await app.close();
  return (user + system) / RUNS;
}
