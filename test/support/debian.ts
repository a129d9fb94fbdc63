import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A program that some tests need and npm doesn't bring. */
export interface Program {
  name: string;
  /** Where packages put it. */
  places: readonly string[];
  /** Debian's packages that bring it, as apt-get takes them. */
  packages: string;
  /** The variable that may name another place. */
  variable: string;
}

const found = new Map<string, string | null>();

/** Where a program is: where its variable says, else where packages put it; null without one. Root in CI installs Debian's first. */
export function pathOf(program: Program): string | null {
  const { name, variable } = program;
  const known = found.get(name);
  if (known !== undefined) return known;
  const path = look(program, process.env[variable]);
  found.set(name, path);
  return path;
}

/** Why there is no such program to test with, or null. */
export function whyMissing(program: Program): string | null {
  if (pathOf(program) !== null) return null;
  const { name, places, packages, variable } = program;
  const where = process.env[variable] ? `${variable} names no file` : `none of ${places.join(', ')} is there, nor ${variable} set`;
  return `no ${name}: ${where}; Debian has it as a package: apt-get install ${packages}`;
}

/** What the name of a test says that needs something which is missing, be it for that reason; '' where nothing is. */
export function leftOut(missing: string | null): string {
  return missing === null ? '' : ` (left out: ${missing})`;
}

function look(program: Program, named: string | undefined): string | null {
  if (named) return existsSync(named) ? named : null;
  const there = (): string | undefined => program.places.find((place) => existsSync(place));
  if (there() === undefined && process.getuid?.() === 0 && process.env['CI']) install(program);
  return there() ?? null;
}

/** Two test files may want one at once: the second one finds it installed. No package's service is started. */
function install({ name, places, packages }: Program): void {
  const unlessThere = places.map((place) => `[ -x ${place} ]`).join(' || ');
  const apt = `apt-get -qq update && RUNLEVEL=1 apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=600 install ${packages}`;
  const script = `exec 9>/tmp/holdfast-packages.lock && flock 9 && { ${unlessThere} || { ${apt}; }; }`;
  const { status, stderr } = spawnSync('sh', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // The tests are left out then, and say so; this says why.
  if (status !== 0) process.stderr.write(`${name} could not be installed: ${stderr}\n`);
}
