import { Body, Controller, Injectable, Post } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { DataSource, type Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, Tx, outsideTransaction, type Transaction } from '../../../src/idempotency/index.js';
import type { TestApp, TestResponse } from '../../support/app.js';
import type { TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { countOf, recordsOf } from '../../support/ledger.js';
import { Note, TENANT } from '../../support/lifted-app.js';

const INSERT = 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)';

/** What one way to write came to. */
export interface Outcome extends Pick<TestResponse, 'status'> {
  notes: number;
  records: number;
  /** What code heard that was refused after its handler. */
  heard: string[];
}

/** Lets a handler go on when the test says so. */
function gate(): { open: () => void; passed: Promise<void> } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open, passed };
}

/** Services that know nothing of idempotency, each of which tries one rule. */
@Injectable()
export class Ways {
  readonly heard: string[] = [];

  constructor(
    @InjectRepository(Note) private readonly repository: Repository<Note>,
    private readonly dataSource: DataSource,
  ) {}

  private insert(text: string): Promise<unknown> {
    return this.repository.insert({ tenantId: TENANT, text });
  }

  async joins(text: string): Promise<void> {
    await this.insert(text);
    throw new Error('undo');
  }

  async nestsAlone(text: string): Promise<void> {
    await this.insert(text);
    await this.dataSource
      .transaction(async (manager) => {
        await manager.insert(Note, { tenantId: TENANT, text });
        throw new Error('undo');
      })
      .catch(() => undefined);
  }

  async otherSource(text: string): Promise<void> {
    const other = await outsideTransaction(() => new DataSource({ ...this.dataSource.options, name: 'other' } as never).initialize());
    try {
      await other.query(INSERT, [TENANT, text]);
    } finally {
      await outsideTransaction(() => other.destroy());
    }
  }

  async outlives(text: string): Promise<void> {
    setTimeout(() => {
      this.insert(text).then(
        () => this.heard.push('nothing'),
        (error: Error) => this.heard.push(error.message),
      );
    }, 100);
  }

  async twoNestedAtOnce(text: string): Promise<void> {
    const both = gate();
    const one = (fails: boolean): Promise<void> =>
      this.dataSource.transaction(async (manager) => {
        await manager.insert(Note, { tenantId: TENANT, text });
        if (!fails) return;
        await both.passed;
        throw new Error('undo');
      });
    await Promise.all([one(true).catch(() => undefined), one(false).finally(both.open)]);
  }

  async besideANestedOne(text: string): Promise<void> {
    const [begun, written] = [gate(), gate()];
    const nested = this.dataSource
      .transaction(async () => {
        begun.open();
        await written.passed;
        throw new Error('undo');
      })
      .catch(() => undefined);
    await begun.passed;
    await this.insert(text).catch((error: Error) => this.heard.push(error.message));
    written.open();
    await nested;
  }

  async insideAForeignOne(text: string): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    await runner.startTransaction();
    await this.insert(text);
    await runner.rollbackTransaction();
  }

  async leavesOneOpen(text: string): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.manager.insert(Note, { tenantId: TENANT, text });
  }

  async endsTheOuterOne(text: string): Promise<void> {
    await this.insert(text);
    await this.dataSource.query('COMMIT').catch(() => undefined);
    throw new Error('undo');
  }

  async goesOnAborted(text: string): Promise<void> {
    await this.dataSource.query('SELECT 1 / 0 AS culprit').catch(() => undefined);
    await this.insert(text).catch((error: Error) => {
      this.heard.push(error.message);
      throw error;
    });
  }

  async goesOnSaved(text: string): Promise<void> {
    await this.dataSource.query('SELECT 1 / 0').catch(() => undefined);
    await this.insert(text);
  }
}

export type Way = Exclude<keyof Ways, 'heard'> | 'clientAfterTheEnd';

@Controller('rules')
export class RulesController {
  constructor(private readonly ways: Ways) {}

  @Post()
  @Idempotent()
  async go(@Tx() tx: Transaction, @Body() { way, text }: { way: Way; text: string }): Promise<object> {
    if (way !== 'clientAfterTheEnd') await this.ways[way](text);
    else {
      const client = await tx.sqlClient();
      await client.query('SELECT');
      setTimeout(() => {
        client.query(INSERT, [TENANT, text]).then(
          () => this.ways.heard.push('nothing'),
          (error: Error) => this.ways.heard.push(error.message),
        );
      }, 100);
    }
    return {};
  }
}

/** The applications that the rules are tried in. */
export interface Joined {
  plain: TestApp;
  /** Whose statements have savepoints of their own. */
  saved: TestApp;
}

/** Sends one request in this way. */
export async function tried(database: TestDatabase, { plain, saved }: Joined, way: Way): Promise<Outcome> {
  const app = way === 'goesOnSaved' ? saved : plain;
  const [key, text] = [uuidv7(), uuidv7()];
  const { heard } = app.app.get(Ways, { strict: false });
  heard.length = 0;
  const { status } = await app.send('POST', '/rules', { key, body: { way, text } });
  if (way === 'outlives' || way === 'clientAfterTheEnd') await eventually('it is over', () => Promise.resolve(heard.length > 0));
  return {
    status,
    notes: await countOf(database, 'notes', 'text = $1', [text]),
    records: (await recordsOf(database, key)).length,
    heard: [...heard],
  };
}

const nothing = { status: 500, notes: 0, records: 0 };

/** What each way must come to; a member that is missing may be anything. */
export const RULES: Record<Way, Partial<Record<keyof Outcome, unknown>>> = {
  joins: nothing,
  nestsAlone: { status: 201, notes: 1, records: 1 },
  otherSource: nothing,
  outlives: { status: 201, notes: 0, heard: [expect.stringContaining('outlives the idempotent handler')] },
  twoNestedAtOnce: nothing,
  besideANestedOne: { heard: [expect.stringContaining('Two nested transactions at once')] },
  insideAForeignOne: nothing,
  leavesOneOpen: nothing,
  endsTheOuterOne: nothing,
  goesOnAborted: { ...nothing, heard: [expect.stringContaining('SELECT 1 / 0 AS culprit')] },
  goesOnSaved: { status: 201, notes: 1, records: 1 },
  clientAfterTheEnd: { status: 201, notes: 0, heard: [expect.stringContaining('the transaction is over')] },
};
