import { createDatabase, type TestDatabase } from '../support/database.js';
import { TENANT } from '../support/lifted-app.js';
import { atOnce, send, tally, type TestResponse } from '../support/app.js';
import { hold, untilBlocked } from '../support/locks.js';
import { eventually } from '../support/eventually.js';
import { Installation, packCore, registryAnswers, type PackedCore, type Replica } from './install.js';
import { MATRIX, PROJECTS, describeProject, type ForeignProject } from './projects.js';

const projects = process.env['PACKAGE_MATRIX'] === 'true' ? [...PROJECTS, ...MATRIX] : PROJECTS;
const NODE10 = '--module commonjs --moduleResolution node10 --ignoreDeprecations 6.0';
const answers = registryAnswers();
const skipped = answers ? '' : ' (skipped: the npm registry gives no packages here)';

let packed: PackedCore;
beforeAll(() => {
  packed = packCore();
}, 120_000);
afterAll(() => packed.remove());

(answers ? describe : describe.skip).each(projects.map((project) => [describeProject(project), project] as const))(
  `the packed core in a project of %s${skipped}`,
  (_name, project) => expectOneEffect(project),
);

describe('what the packed core does not work with', () => {
  const FITTING = {
    '@nestjs/common': '12.5.1',
    '@nestjs/core': '11.0.0',
    '@nestjs/typeorm': '12.0.2',
    pg: '8.16.0',
    'pg-pool': '3.13.0',
    'reflect-metadata': '0.2.2',
    rxjs: '7.8.2',
    typeorm: '0.3.17',
  };

  it.each([
    ['an older driver', { pg: '8.15.6' }, 'pg is 8.15.6 and must be ^8.16.0'],
    ['an older pool of the driver', { 'pg-pool': '3.12.0' }, 'pg-pool is 3.12.0 and must be ^3.13.0'],
    ['an older TypeORM', { typeorm: '0.3.16' }, 'typeorm is 0.3.16 and must be ^0.3.17 || ^1.0.0'],
    ['a later TypeORM', { typeorm: '2.0.0' }, 'typeorm is 2.0.0 and must be ^0.3.17 || ^1.0.0'],
    ['an older Nest', { '@nestjs/core': '10.4.0' }, '@nestjs/core is 10.4.0 and must be ^11.0.0 || ^12.0.0'],
    ['no driver', { pg: undefined }, 'pg is not installed and must be ^8.16.0'],
  ])('is said when it is loaded: %s', (_name, change, sentence) => {
    expect(packed.loadBeside({ ...FITTING, ...change })).toBe(`@holdfast/nestjs can't work with what is installed here: ${sentence}`);
  });

  it('is not said of what fits', () => {
    expect(packed.loadBeside(FITTING)).toBe('');
  });
});

/** The tests of one project: whatever it is made of, one logical request has one effect. */
function expectOneEffect(project: ForeignProject): void {
  let database: TestDatabase;
  let installation: Installation;
  let replicas: [Replica, Replica];

  beforeAll(async () => {
    database = await createDatabase();
    installation = await Installation.of(project, packed);
    replicas = [await installation.start(database.url, { migrate: true }), await installation.start(database.url)];
  }, 300_000);

  afterAll(async () => {
    installation?.remove();
    await database?.drop();
  });

  const post = (path: string, key: string, text: string, replica = 0): Promise<TestResponse> =>
    send(replicas[replica]?.url ?? '', 'POST', `/notes/${path}`, { key, as: null, headers: { 'x-tenant': TENANT }, body: { text } });
  const notes = async (text: string): Promise<number> => (await database.query('SELECT FROM notes WHERE text = $1', [text])).length;
  const records = async (key: string): Promise<unknown[]> =>
    (await database.query('SELECT status FROM idempotency_records WHERE key = $1', [key])).map(({ status }) => status);

  it('has the versions that it is named for', async () => {
    expect(installation.versions()).toEqual(project.packages);
    expect(await installation.nodeVersion()).toBe(project.node ?? process.versions.node.split('.')[0]);
  });

  it.each(resolutions(project))('has types for a project of its modules, and a README that compiles: %s', async (resolution) => {
    expect(await installation.typeErrors(resolution)).toBe('');
  });

  it.each(['create', 'plain', 'joined'])('answers %s first, and replays the same bytes in both replicas', async (path) => {
    const first = await post(path, `first-${path}`, path);
    expect([first.status, first.headers.get('content-type'), first.headers.has('idempotent-replayed')]).toEqual([
      201,
      'application/json; charset=utf-8',
      false,
    ]);
    expect(first.body).toMatchObject({ text: path });
    for (const replica of [0, 1]) {
      const again = await post(path, `first-${path}`, path, replica);
      expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([201, first.text, 'true']);
      expect(namesAndValues(again)).toEqual(namesAndValues(first));
    }
    expect(await notes(path)).toBe(1);
    expect(await records(`first-${path}`)).toEqual(['completed']);
  });

  it('refuses another body under a known key', async () => {
    await post('create', 'mismatch', 'one');
    const other = await post('create', 'mismatch', 'another');
    expect([other.status, other.body['code']]).toEqual([422, 'idempotency-key-reused']);
    expect([await notes('one'), await notes('another')]).toEqual([1, 0]);
  });

  it('writes one row for 20 equal requests at once to two replicas', async () => {
    const answered = await atOnce(20, (index) => post('create', 'race', 'race', index % 2));
    const { 201: created = 0, 409: busy = 0 } = tally(answered);
    expect([created + busy, created > 0]).toEqual([20, true]);
    expect(new Set(answered.filter(({ status }) => status === 201).map(({ text }) => text)).size).toBe(1);
    expect(await notes('race')).toBe(1);
  });

  it.each([
    ['throws', 409, 0],
    ['returns', 402, 1],
  ])('stores a refusal that a handler %s: %i again, and %i rows', async (path, status, rows) => {
    const [first, again] = [await post(path, path, path), await post(path, path, path, 1)];
    expect([first.status, again.status, first.body, again.text]).toEqual([status, status, { refused: path }, first.text]);
    const by = path === 'throws' ? 'the application' : null;
    expect([first, again].map(({ headers }) => headers.get('x-by'))).toEqual([by, by]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await notes(path)).toBe(rows);
  });

  it('sends the stored headers as they are, and none of the platform', async () => {
    for (const { headers } of [await post('create', 'headers', 'headers'), await post('create', 'headers', 'headers')])
      expect([headers.get('content-type'), headers.get('etag'), headers.get('idempotency-key')]).toEqual([
        'application/json; charset=utf-8',
        null,
        'headers',
      ]);
  });

  it('stores nothing for an error of the database', async () => {
    expect((await post('fails', 'fails', 'fails')).status).toBe(500);
    expect([await notes('fails'), await records('fails')]).toEqual([0, []]);
  });

  it('commits nothing that others left open on a connection', async () => {
    expect((await post('leaves', 'unused', 'left open')).status).toBe(201);
    expect((await post('create', 'after', 'after')).status).toBe(201);
    expect([await notes('left open'), await notes('after')]).toEqual([0, 1]);
  });

  it('has one effect when a replica is killed behind its write and the request is sent again', async () => {
    const lock = await hold(database, 'SELECT pg_advisory_xact_lock(7)');
    const lost = post('slow', 'killed', 'killed').then(
      () => 'answered',
      () => 'cut off',
    );
    const [pid] = await untilBlocked(database);
    await replicas[0].kill();
    expect(await lost).toBe('cut off');
    await lock.release();
    await eventually(
      'the end of its session',
      async () => (await database.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).length === 0,
    );
    expect([await notes('killed'), await records('killed')]).toEqual([0, []]);
    const answer = await post('slow', 'killed', 'killed', 1);
    expect([answer.status, answer.headers.has('idempotent-replayed')]).toEqual([201, false]);
    replicas[0] = await installation.start(database.url);
    expect((await post('slow', 'killed', 'killed')).text).toBe(answer.text);
    expect([await notes('killed'), await records('killed')]).toEqual([1, ['completed']]);
  });
}

/** How TypeScript may find the package. CommonJS without any other word is what `nest new` made for years: it doesn't know `exports`. */
function resolutions({ modules }: ForeignProject): string[] {
  return modules === 'ESM' ? ['--module nodenext'] : ['--module nodenext', NODE10];
}

/** The headers of an answer that a replay must repeat. */
function namesAndValues({ headers }: TestResponse): [string, string][] {
  const ofConnection = new Set(['date', 'connection', 'keep-alive', 'idempotent-replayed']);
  return [...headers.entries()].filter(([name]) => !ofConnection.has(name));
}
