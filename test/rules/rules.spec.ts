import { startApp } from '../support/app.js';
import { createMigratedDatabase } from '../support/database.js';
import { RULES, type RuleName, type World } from './rules.js';
import { SABOTEURS } from './saboteurs.js';

const names = Object.keys(RULES) as RuleName[];

describe.each(SABOTEURS)('$name', ({ breaks, besides = [], sabotage }) => {
  let world: World;
  beforeAll(async () => {
    const database = await createMigratedDatabase();
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
