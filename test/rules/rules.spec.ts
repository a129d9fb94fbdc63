import { EMBEDDED_ROLES } from '../../src/kernel/config.js';
import { startApp } from '../support/app.js';
import { createMigratedDatabase } from '../support/database.js';
import { RULES, type RuleName, type World } from './rules.js';
import { SABOTEURS } from './saboteurs.js';

const names = Object.keys(RULES) as RuleName[];

describe.each(SABOTEURS)('$name', ({ breaks, besides = [], sabotage }) => {
  let world: World;
  beforeAll(async () => {
    const database = await createMigratedDatabase();
    // A request waits twice for a connection, 2 s each; that is over before those that hold them all give up.
    const name = new URL(database.url).pathname.slice(1);
    await database.query(`ALTER ROLE ${EMBEDDED_ROLES.api} IN DATABASE ${name} SET lock_timeout = '12s'`);
    await sabotage(database);
    world = { database, a: await startApp(database), b: await startApp(database) };
  });
  afterAll(async () => {
    await world.a.close();
    await world.b.close();
    await world.database.drop();
    jest.restoreAllMocks();
  });

  for (const name of names.filter((rule) => !besides.includes(rule))) {
    const rule = RULES[name];
    if (name === breaks) {
      it(`breaks: ${rule.name}`, async () => {
        // An expectation of the rule must fail, not something on the way to it.
        await expect(rule.check(world)).rejects.toMatchObject({ matcherResult: expect.anything() });
      });
    } else {
      it(`holds: ${rule.name}`, async () => {
        await expect(rule.check(world)).resolves.toBeUndefined();
      });
    }
  }
});

it('every rule has a saboteur that breaks it and nothing else', () => {
  const broken = SABOTEURS.flatMap(({ breaks }) => breaks ?? []);
  expect(broken.sort()).toEqual([...names].sort());
});
