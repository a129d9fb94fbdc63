import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { temporaryDirectory } from '../local/checkout.js';

/** The build that the storm's own processes come from. */
export const DIST = resolve(__dirname, '../../dist');

/** One place of the compiled code and what it is to be instead. */
export interface Patch {
  /** Path under `dist/src`. */
  file: string;
  from: string;
  to: string;
}

/** A copy of the build with some places changed. */
export class BrokenBuild {
  readonly dist: string;
  private readonly directory = temporaryDirectory();

  constructor(patches: readonly Patch[]) {
    this.dist = join(this.directory, 'dist');
    mkdirSync(this.dist);
    writeFileSync(join(this.directory, 'package.json'), '{ "type": "module" }');
    symlinkSync(resolve(DIST, '../node_modules'), join(this.directory, 'node_modules'));
    for (const part of ['src', 'migrations']) cpSync(join(DIST, part), join(this.dist, part), { recursive: true });
    for (const patch of patches) this.apply(patch);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** @throws Error unless the text is there exactly once: a build that isn't broken where it should be shows nothing */
  private apply({ file, from, to }: Patch): void {
    const path = join(this.dist, 'src', file);
    const parts = readFileSync(path, 'utf8').split(from);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} places like this one, not one: ${from}`);
    writeFileSync(path, parts.join(to));
  }
}
