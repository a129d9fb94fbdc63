import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runStorm } from '../../storm/storm.js';
import { Server, scriptsOf } from '../../storm/world.js';
import { temporaryDirectory } from '../local/checkout.js';
import { INTACT, SABOTEURS, planOf, type Saboteur } from './sabotage/saboteurs.js';
import { PROOFS, SABOTEUR, readProofs } from './sabotage/seams.js';

const DIST = resolve(__dirname, '../../dist');
const SCRIPTS = { ...scriptsOf(DIST), replica: join(DIST, 'test/storm/sabotage/replica.js') };

/** A storm is made of chance: this many, and then the checker has failed. */
const STORMS = 3;
/** At once: most of a storm's time is waiting. */
const AT_ONCE = 3;

/** What came of a saboteur's storms. */
interface Storms {
  /** All rules that were broken in the last one. */
  broken: string[];
  /** Of each seam that the saboteur has changed, whether that made a difference. */
  seams: Record<string, boolean>;
}

let server: Server;
const storms = new Map<string, Storms>();

beforeAll(async () => {
  server = await Server.start();
  const left = [INTACT, ...SABOTEURS];
  const work = async (): Promise<void> => {
    for (let saboteur = left.shift(); saboteur; saboteur = left.shift()) storms.set(saboteur.name, await stormsOf(saboteur));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}, 1_200_000);
afterAll(() => server.stop());

describe('the checker of the storm notices that', () => {
  it.each(SABOTEURS)('$name', ({ name, noticedBy }) => {
    const { broken = [], seams = {} } = storms.get(name) ?? {};
    // A service that isn't broken where it should be shows nothing, whatever its storms were like.
    const unused = Object.keys(seams).filter((seam) => !seams[seam]);
    const noticed = noticedBy.some((rule) => broken.includes(rule));
    expect({ broken, noticed, unused }).toEqual({ broken, noticed: true, unused: [] });
    expect(seams).not.toEqual({});
  });
});

it('the checker of the storm finds nothing in the build as it is', () => {
  expect(storms.get(INTACT.name)).toEqual({ broken: [], seams: {} });
});

/** Storms until a rule that should notice does. */
async function stormsOf(saboteur: Saboteur): Promise<Storms> {
  const proofs = temporaryDirectory();
  try {
    let broken: string[] = [];
    for (let seed = 1; seed <= STORMS && !saboteur.noticedBy.some((rule) => broken.includes(rule)); seed += 1) {
      const plan = planOf(saboteur, seed);
      const env = { ...plan.env, [SABOTEUR]: saboteur.name, [PROOFS]: proofs };
      const { violations } = await runStorm({ ...plan, env }, server, SCRIPTS);
      broken = [...new Set(violations.map(({ rule }) => rule))];
    }
    return { broken, seams: readProofs(proofs) };
  } finally {
    rmSync(proofs, { recursive: true, force: true });
  }
}
