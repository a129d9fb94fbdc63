// A replica with a saboteur in it: what the saboteur changes is changed before the service, as it was built, starts.
import { SABOTEUR } from './seams.js';
import { INTACT, SABOTEURS } from './saboteurs.js';

const name = process.env[SABOTEUR];
const saboteur = [INTACT, ...SABOTEURS].find((candidate) => candidate.name === name);
if (!saboteur) throw new Error(`there is no saboteur ${name}`);
await saboteur.sabotage();
await import('../../../src/main.js');
