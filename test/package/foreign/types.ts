import { Body, Controller, Post } from '@nestjs/common';
import { Idempotent, IdempotencyModule, Tx, reply, type IdempotencyOptions, type Reply, type Transaction } from '@holdfast/nestjs';
import { examineHandlers, type Finding } from '@holdfast/nestjs/testing';
import { FinalRecords1700000000026, migrations } from '@holdfast/nestjs/migrations';

@Controller('typed')
export class TypedController {
  @Post()
  @Idempotent({ windowMs: 60_000 })
  async create(@Tx() tx: Transaction, @Body() body: { text: string }): Promise<Reply> {
    const operation: string = tx.operationId;
    return reply(202, { operation, text: body.text });
  }
}

const options: IdempotencyOptions = { accountOf: () => '' };
export const module = IdempotencyModule.forRoot(options);
export const examine: (...args: Parameters<typeof examineHandlers>) => Promise<Finding[]> = examineHandlers;
export const last: boolean = migrations.at(-1) === FinalRecords1700000000026;
// @ts-expect-error it is no window in words: what the package exports isn't any
Idempotent({ windowMs: 'a day' });
