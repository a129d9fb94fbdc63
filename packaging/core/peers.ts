import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What of package.json says which versions this package runs on. */
interface Manifest {
  name: string;
  version: string;
  peerDependencies: Record<string, string>;
}

// The package as it is installed.
const { name, peerDependencies } = manifestAt(join(__dirname, '..', '..', '..', 'package.json'));

// The pool is pg's own, and a lock file may hold it back: before 3.13 the core couldn't look at a connection before anybody gets it. As a peer
// it is lifted by npm; what counts is the one that pg finds.
const { 'pg-pool': pool = '', ...ownPeers } = peerDependencies;

const ofPg = installed('pg', require) === undefined ? undefined : createRequire(require.resolve('pg'));
const wrong = [...misfits(ownPeers, require), ...(ofPg ? misfits({ 'pg-pool': pool }, ofPg) : [])];
if (wrong.length > 0) throw new Error(`${name} can't work with what is installed here: ${wrong.join('; ')}`);

/** What is wrong with the packages that a `require` finds, in words. */
function misfits(wanted: Record<string, string>, from: NodeJS.Require): string[] {
  return Object.entries(wanted).flatMap(([peer, range]) => {
    const found = installed(peer, from);
    if (!found) return [`${peer} is not installed and must be ${range}`];
    return fits(found, range) ? [] : [`${peer} is ${found} and must be ${range}`];
  });
}

/** The version that a `require` finds, read past the package's exports, which may hide its package.json. */
function installed(peer: string, { resolve }: NodeJS.Require): string | undefined {
  const found = (resolve.paths(peer) ?? []).map((path) => join(path, peer, 'package.json')).find((path) => existsSync(path));
  return found === undefined ? undefined : manifestAt(found).version;
}

function manifestAt(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}

/** Whether a version is in a range of the one form that package.json uses here: `^a.b.c || ^d`. */
function fits(version: string, range: string): boolean {
  const found = version.split('-', 1).join('').split('.').map(Number);
  return range.split(' || ').some((part) => {
    const [major = 0, minor = 0, patch = 0] = part.slice(1).split('.').map(Number);
    // In 0.x the caret holds the minor version, too.
    if (found[0] !== major || (major === 0 && found[1] !== minor)) return false;
    const [, foundMinor = 0, foundPatch = 0] = found;
    return foundMinor > minor || (foundMinor === minor && foundPatch >= patch);
  });
}
