import { execFile } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import type { Sample } from './measure.js';
import { ServerMeter } from './proc.js';
import { PRODUCTS } from './requests.js';
import { percentile } from './statistics.js';
import {
  CHANGE_STOCK,
  FIND,
  FIND_ARCHIVED,
  FIND_PRODUCTS,
  INSERT_ITEMS,
  INSERT_ORDER,
  INSERT_COMPLETED,
  LOCK,
} from './variants/statements.js';
import type { World } from './world.js';

/** As many as a service's pool has connections. */
const CLIENTS = 10;
const LOOK_EVERY_MS = 50;

/** The statement with an expression in the place of each parameter. */
function filled({ text }: { text: string }, values: readonly string[]): string {
  return `${text.replaceAll(/\$(\d+)/g, (_, number: string) => `(${values[Number(number) - 1]})`)};`;
}

const account = `:account::uuid`;
const id = `(:prefix || lpad(to_hex(:n::bigint), 12, '0'))`;
const products = `ARRAY['bench-' || lpad(:first::text, 4, '0'), 'bench-' || lpad(:second::text, 4, '0')]`;

const record = [
  account,
  id,
  `${id}::uuid`,
  `'POST /v1/orders'`,
  ':hash::text',
  '201',
  ':headers::jsonb',
  ':body::text',
  `'/v1/orders/' || ${id}`,
  id,
  'NULL',
  '86400000',
  'NULL',
];

/** An order with its record, in the two flights and with the statements of the service. */
const SCRIPT = `
\\set n :i * ${CLIENTS} + :client_id
\\set i :i + 1
\\set first random(0, ${PRODUCTS - 1})
\\set second (:first + 1) % ${PRODUCTS}
\\set lock random(1, 9223372036854775806)
\\startpipeline
BEGIN;
${filled(LOCK, [':lock', ':account::text'])}
${filled(FIND, [account, id])}
${filled(FIND_ARCHIVED, [account, id])}
${filled(FIND_PRODUCTS, [account, products])}
\\endpipeline
\\startpipeline
${filled(INSERT_ORDER, [account, `${id}::uuid`, `'EUR'`, '2000', 'NULL', `'{}'`, 'clock_timestamp()'])}
${filled(INSERT_ITEMS, [account, `${id}::uuid`, products, `ARRAY['Bench product', 'Bench product']`, `'{1,1}'`, `'{1000,1000}'`])}
${filled(CHANGE_STOCK, [account, `'bench-' || lpad(:first::text, 4, '0')`, '-1'])}
${filled(CHANGE_STOCK, [account, `'bench-' || lpad(:second::text, 4, '0')`, '-1'])}
${filled(INSERT_COMPLETED, record)}
COMMIT;
\\endpipeline
`;

/** The same transaction without any service: what PostgreSQL alone takes for it. */
export class Pgbench {
  private constructor(
    private readonly program: string,
    private readonly world: World,
    private readonly accountId: string,
  ) {}

  static async of(program: string, world: World): Promise<Pgbench> {
    const [first] = await world.query<{ id: string }>('SELECT id FROM accounts ORDER BY id LIMIT 1');
    if (!first) throw new Error('the database has no account');
    writeFileSync(join(world.directory, 'order.sql'), SCRIPT);
    return new Pgbench(program, world, first.id);
  }

  /** @throws Error when pgbench fails, with what it said */
  async run(amount: number): Promise<Sample> {
    const each = Math.ceil(amount / CLIENTS);
    const meter = new ServerMeter(this.world.postgres.pid);
    const looks: Look[] = [{ at: 0, spent: 0 }];
    // Its backends end with it, and take their count along.
    const looking = setInterval(() => looks.push({ at: Date.now(), spent: meter.spent() }), LOOK_EVERY_MS);
    try {
      const { stdout } = await promisify(execFile)(this.program, this.arguments(each), { env: { LC_ALL: 'C' } });
      looks.push({ at: Date.now(), spent: meter.spent() });
      const transactions = this.takeLog();
      const milliseconds = transactions.map((transaction) => transaction.milliseconds);
      const postgresUs = costOf(transactions, looks);
      const perSecond = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1]);
      return { postgresUs, totalUs: postgresUs, perSecond, p50: percentile(milliseconds, 0.5), p99: percentile(milliseconds, 0.99) };
    } finally {
      clearInterval(looking);
    }
  }

  private arguments(each: number): string[] {
    const variables = {
      i: '0',
      account: this.accountId,
      // What the ids of this moment begin with: they go where the service's go in the indexes.
      prefix: uuidv7().slice(0, 24),
      hash: '5a'.repeat(32),
      headers: '{"content-type":"application/json; charset=utf-8","etag":"\\"1\\"","operation-id":"op_01h455vb4pex5vsknk084sn02q"}',
      body: 'x'.repeat(450),
    };
    const flags = ['-n', '-M', 'prepared', '-c', String(CLIENTS), '-j', '1', '-t', String(each), '-l'];
    const files = ['-f', join(this.world.directory, 'order.sql'), `--log-prefix=${join(this.world.directory, 'pgbench-log')}`];
    return [
      ...flags,
      ...files,
      ...Object.entries(variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]),
      this.world.postgres.url('holdfast'),
    ];
  }

  /** A line of its log: client, transaction, time in microseconds, script, and the moment of its end as seconds and microseconds. */
  private takeLog(): Transaction[] {
    const files = readdirSync(this.world.directory).filter((name) => name.startsWith('pgbench-log'));
    return files.flatMap((name) => {
      const path = join(this.world.directory, name);
      const lines = readFileSync(path, 'utf8').trim().split('\n');
      rmSync(path);
      return lines.map((line) => {
        const [, , time, , seconds, micros] = line.split(' ').map(Number);
        return { milliseconds: (time ?? NaN) / 1_000, endedAt: (seconds ?? NaN) * 1_000 + (micros ?? NaN) / 1_000 };
      });
    });
  }
}

/** CPU time that the server had spent at a moment: milliseconds since 1970, and microseconds. */
interface Look {
  at: number;
  spent: number;
}

interface Transaction {
  milliseconds: number;
  endedAt: number;
}

/**
 * Microseconds of a transaction. Each run connects anew, which costs as much as many transactions: what came before the
 * first tenth was done doesn't count, where a look fell between that and the end.
 */
function costOf(transactions: readonly Transaction[], looks: readonly Look[]): number {
  const ends = transactions.map((transaction) => transaction.endedAt).sort((a, b) => a - b);
  const leadIn = ends[Math.floor(ends.length / 10)] ?? 0;
  const half = ends[Math.floor(ends.length / 2)] ?? 0;
  const from = looks.find(({ at }) => at >= leadIn && at <= half) ?? { at: 0, spent: 0 };
  const spent = (looks.at(-1)?.spent ?? NaN) - from.spent;
  return spent / ends.filter((end) => end > from.at).length;
}
