import { createDatabase, type TestDatabase } from '../../support/database.js';
import { startLiftedApp } from '../../support/lifted-app.js';
import { RULES, RulesController, Ways, tried, type Joined, type Way } from './rules.js';
import { SABOTEURS } from './saboteurs.js';

const ALL = Object.keys(RULES) as Way[];

let database: TestDatabase;
let apps: Joined;
beforeAll(async () => {
  database = await createDatabase();
  // The join alone: what else would notice is off.
  const core = { join: true, guardConnections: false, outsideCalls: 'ignore' } as const;
  const started = { controllers: [RulesController], providers: [Ways] };
  apps = {
    plain: await startLiftedApp(database, { ...started, core }),
    saved: await startLiftedApp(database, { ...started, core: { ...core, statementSavepoints: true } }),
  };
});
afterAll(async () => {
  for (const app of Object.values(apps)) await app.close();
  await database.drop();
});
afterEach(() => jest.restoreAllMocks());

describe('each rule of the join notices whoever breaks it', () => {
  it.each(SABOTEURS)('$name', async ({ breaks, besides = [], sabotage }) => {
    sabotage();
    const broken: Way[] = [];
    for (const way of ALL.filter((one) => !besides.includes(one))) {
      if (!holds(RULES[way], await tried(database, apps, way))) broken.push(way);
    }
    expect(broken.sort()).toEqual([...breaks].sort());
  });

  it('every rule has a saboteur', () => {
    const broken = new Set(SABOTEURS.flatMap(({ breaks }) => breaks));
    // A nested transaction that is undone alone is PostgreSQL's savepoint: nothing of ours could forget it.
    expect(ALL.filter((way) => !broken.has(way))).toEqual(['nestsAlone']);
  });
});

function holds(rule: object, outcome: object): boolean {
  try {
    expect(outcome).toMatchObject(rule);
    return true;
  } catch {
    return false;
  }
}
