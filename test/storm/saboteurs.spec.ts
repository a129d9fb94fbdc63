import { runStorm } from '../../storm/storm.js';
import { Server } from '../../storm/world.js';
import { BrokenBuild, DIST } from './broken-build.js';
import { INTACT, SABOTEURS, planOf, type Saboteur } from './saboteurs.js';

/** A storm is made of chance: this many, and then the checker has failed. */
const STORMS = 3;
/** At once: most of a storm's time is waiting. */
const AT_ONCE = 3;

let server: Server;
const noticed = new Map<string, string[]>();

beforeAll(async () => {
  server = await Server.start();
  const left = [INTACT, ...SABOTEURS];
  const work = async (): Promise<void> => {
    for (let saboteur = left.shift(); saboteur; saboteur = left.shift()) noticed.set(saboteur.name, await rulesBrokenBy(saboteur));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}, 1_200_000);
afterAll(() => server.stop());

describe('the checker of the storm notices that', () => {
  it.each(SABOTEURS)('$name', ({ name, noticedBy }) => {
    const broken = noticed.get(name) ?? [];
    expect({ broken, noticed: noticedBy.some((rule) => broken.includes(rule)) }).toEqual({ broken, noticed: true });
  });
});

it('the checker of the storm finds nothing in the build as it is', () => {
  expect(noticed.get(INTACT.name)).toEqual([]);
});

/** Storms until a rule that should notice does; all rules that were broken in the last one. */
async function rulesBrokenBy(saboteur: Saboteur): Promise<string[]> {
  const build = new BrokenBuild(saboteur.patches);
  try {
    let rules: string[] = [];
    for (let seed = 1; seed <= STORMS && !saboteur.noticedBy.some((rule) => rules.includes(rule)); seed += 1) {
      const { violations } = await runStorm(planOf(saboteur, seed), server, { dist: build.dist, original: DIST });
      rules = [...new Set(violations.map(({ rule }) => rule))];
    }
    return rules;
  } finally {
    build.remove();
  }
}
