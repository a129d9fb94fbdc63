import { measure, type Sample } from '../measure.js';
import type { KeyStyle } from '../requests.js';
import { leadIn } from '../rounds.js';
import type { Service } from '../service.js';
import { quotients, spread, type Spread } from '../statistics.js';
import { LIVE } from './filling.js';
import type { Options } from './options.js';
import { sizesOf, walPosition, type TableSizes } from './sizes.js';
import type { Database, Stage } from './stage.js';

/** CPU per request with many records, relative to that with the fewest, at most. */
const RECORD_GOALS: Record<KeyStyle, number> = { uuidv7: 1.15, random: 1.4 };

const CONNECTIONS = 32;

/** What first requests cost beside so many records, and as many events and archived operations. CPU in microseconds per request, of Node and PostgreSQL. */
export interface RecordsResult extends TableSizes {
  keys: KeyStyle;
  records: number;
  nodeUs: Spread;
  postgresUs: Spread;
  totalUs: Spread;
  /** To the smallest table with keys of this style, round by round. */
  ratio: Spread;
  goal: number;
  walBytesPerRequest: Spread;
}

interface Subject {
  keys: KeyStyle;
  records: number;
  database: Database;
  service: Service;
  samples: (Sample & { walBytes: number })[];
}

/**
 * First requests to services on tables of several sizes, each in a database of its own. In every round each has its turn, and
 * the order moves on, so that what else the machine does hits all of them alike.
 */
export async function measureRecords(stage: Stage, { records, keys: styles, requests, rounds }: Options): Promise<RecordsResult[]> {
  const subjects: Subject[] = [];
  for (const keys of styles) {
    for (const count of records) subjects.push(await prepare(stage, keys, count));
  }
  // The first round is a warm-up: of the code, the connections and the caches.
  for (let round = 0; round <= rounds; round += 1) {
    stage.progress.step(`records: round ${round} of ${rounds}`);
    await stage.query('CHECKPOINT');
    for (const subject of rotated(subjects, round)) {
      const sample = await runOnce(stage, subject, requests);
      if (round > 0) subject.samples.push(sample);
    }
  }
  const results = await Promise.all(subjects.map((subject) => summarise(subject, smallest(subjects, subject.keys))));
  for (const { database } of subjects) await database.drop();
  return results;
}

async function prepare(stage: Stage, keys: KeyStyle, records: number): Promise<Subject> {
  const database = await stage.database(`records_${keys}_${records}`);
  await database.add({ into: ['idempotency_records', 'events', 'idempotency_archive'], count: records, keys, ...LIVE });
  return { keys, records, database, service: await database.start(), samples: [] };
}

async function runOnce(stage: Stage, { keys, database, service }: Subject, requests: number): Promise<Sample & { walBytes: number }> {
  const traffic = { kind: 'fresh', keys } as const;
  // Connections that were idle for a while are closed: opening them is no part of a request.
  await stage.load(service, { connections: CONNECTIONS, amount: leadIn(requests), traffic });
  const before = await walPosition(database);
  const sample = await measure(service, stage.postmaster, () =>
    stage.load(service, { connections: CONNECTIONS, amount: requests, traffic }),
  );
  return { ...sample, walBytes: ((await walPosition(database)) - before) / requests };
}

async function summarise({ keys, records, database, samples }: Subject, base: Subject): Promise<RecordsResult> {
  const of = (pick: (sample: Sample & { walBytes: number }) => number): Spread => spread(samples.map(pick));
  return {
    keys,
    records,
    nodeUs: of((sample) => sample.nodeUs ?? NaN),
    postgresUs: of((sample) => sample.postgresUs),
    totalUs: of((sample) => sample.totalUs),
    ratio: spread(
      quotients(
        samples.map((sample) => sample.totalUs),
        base.samples.map((sample) => sample.totalUs),
      ),
    ),
    goal: RECORD_GOALS[keys],
    walBytesPerRequest: of((sample) => sample.walBytes),
    ...(await sizesOf(database)),
  };
}

function smallest(subjects: Subject[], keys: KeyStyle): Subject {
  const [first] = subjects.filter((subject) => subject.keys === keys).sort((a, b) => a.records - b.records);
  if (!first) throw new Error(`nothing was measured with ${keys} keys`);
  return first;
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
