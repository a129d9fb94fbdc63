// An application whose service knows nothing of idempotency, as a process of its own: it writes two notes by its data source, the second one
// in a transaction of its own, waits for the lock 7, and tells what came of it.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Idempotency, IdempotencyModule } from '../../../dist/src/idempotency/index.js';

const [url, id, text] = process.argv.slice(2);
const INSERT = 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)';
const TENANT = '018bcfe5-6800-7000-8000-0000000000ff';

class JoinedModule {}
Module({
  imports: [
    TypeOrmModule.forRoot({ type: 'postgres', url }),
    IdempotencyModule.forRoot({ accountOf: () => TENANT, render: () => 'not-final', background: false }),
  ],
})(JoinedModule);

const app = await NestFactory.createApplicationContext(JoinedModule, { logger: false });
const dataSource = app.get(DataSource);
const { replayed } = await app.get(Idempotency).run({ account: TENANT, operation: 'join', key: id }, async () => {
  await dataSource.query(INSERT, [TENANT, text]);
  await dataSource.transaction((manager) => manager.query(INSERT, [TENANT, text]));
  process.stdout.write('written ');
  await dataSource.query('SELECT pg_advisory_xact_lock(7)');
});
process.stdout.write(`replayed: ${replayed}`);
await app.close();
