// A consumer of a queue, as a process of its own: it handles the message that it is given, tells its result, which is the
// acknowledgement, and ends. With `crash` it is killed between its commit and that.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Idempotency, IdempotencyModule } from '../../../dist/src/idempotency/index.js';

const [url, id, text, crash] = process.argv.slice(2);
const INSERT = { name: 'consumer-note', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2) RETURNING id' };
const TENANT = '018bcfe5-6800-7000-8000-0000000000ff';

class ConsumerModule {}
Module({
  imports: [
    TypeOrmModule.forRoot({ type: 'postgres', url }),
    IdempotencyModule.forRoot({ accountOf: () => TENANT, render: () => 'not-final', background: false }),
  ],
})(ConsumerModule);

const app = await NestFactory.createApplicationContext(ConsumerModule, { logger: false });
const { value, replayed } = await app
  .get(Idempotency)
  .run({ account: TENANT, operation: 'note-message', key: id, request: { text } }, async (tx) => {
    const [note] = await tx.run(INSERT, [TENANT, text]);
    return note;
  });
if (crash) process.kill(process.pid, 'SIGKILL');
process.stdout.write(JSON.stringify({ value, replayed }));
await app.close();
