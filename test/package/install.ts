import { execFile, execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { ForeignProject } from './projects.js';

const ROOT = join(__dirname, '..', '..');
const MAIN = { CommonJS: 'main.cjs', ESM: 'main.mjs' };

/** Whether the configured registry gives packages. */
export function registryAnswers(): boolean {
  const flags = ['--fetch-retries=0', '--fetch-timeout=10000'];
  return spawnSync('npm', ['view', 'pg@8.16.0', 'version', ...flags], { cwd: tmpdir(), timeout: 30_000 }).status === 0;
}

/** The core of this working tree, packed into a temporary folder. */
export interface PackedCore {
  tarball: string;
  /** What is in the tarball. */
  directory: string;
  /** Loads the package's look at its peers beside packages of these versions; gives the error's message, or nothing. */
  loadBeside(versions: Record<string, string | undefined>): string;
  remove(): void;
}

/** Packs it, as `npm run pack:core` does. @throws what the compiler says */
export function packCore(): PackedCore {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-packed-'));
  const tarball = execFileSync('npm', ['run', '--silent', 'pack:core', '--', folder], { cwd: ROOT, encoding: 'utf8' }).trim();
  const directory = join(folder, 'package');
  return {
    tarball,
    directory,
    loadBeside: (versions) => loadBeside(directory, join(folder, 'peers'), versions),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function loadBeside(packed: string, folder: string, versions: Record<string, string | undefined>): string {
  const modules = join(folder, 'node_modules');
  rmSync(folder, { recursive: true, force: true });
  cpSync(packed, join(modules, '@holdfast/nestjs'), { recursive: true });
  for (const [name, version] of Object.entries(versions)) {
    if (version === undefined) continue;
    mkdirSync(join(modules, name), { recursive: true });
    writeFileSync(join(modules, name, 'package.json'), JSON.stringify({ name, version }));
    writeFileSync(join(modules, name, 'index.js'), '');
  }
  const peers = join(modules, '@holdfast/nestjs/lib/packaging/core/peers.js');
  const { stderr } = spawnSync(process.execPath, [peers], { encoding: 'utf8' });
  return /^Error: (.*)$/m.exec(stderr)?.[1] ?? stderr;
}

/**
 * Makes a project in a temporary folder, of a manifest and the files of a folder, and installs its packages.
 * @returns the folder
 * @throws what npm says that can't install it
 */
export async function installProject(manifest: object, files: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-foreign-'));
  cpSync(files, directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, ...manifest }));
  await promisify(execFile)('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: directory });
  return directory;
}

/** A project in a temporary folder, with everything installed from the registry and the core from its tarball. */
export class Installation {
  private readonly processes: ChildProcess[] = [];

  private constructor(
    private readonly project: ForeignProject,
    readonly directory: string,
    private readonly node: string,
  ) {}

  /** @throws what npm says that can't install it */
  static async of(project: ForeignProject, { tarball }: PackedCore): Promise<Installation> {
    const { nest, nestTypeorm, typeorm, pg } = project.packages;
    const dependencies = {
      '@holdfast/nestjs': `file:${tarball}`,
      '@nestjs/common': nest,
      '@nestjs/core': nest,
      [`@nestjs/platform-${project.platform.toLowerCase()}`]: nest,
      '@nestjs/typeorm': nestTypeorm,
      pg,
      'reflect-metadata': '^0.2.2',
      rxjs: '^7.8.2',
      typeorm,
    };
    const type = project.modules === 'ESM' ? 'module' : 'commonjs';
    const directory = await installProject({ name: 'notes', type, dependencies }, join(__dirname, 'foreign'));
    return new Installation(project, directory, await programOf(project.node));
  }

  /** A replica of the application; rejects with what it printed when it ends instead of listening. */
  async start(databaseUrl: string, options: { migrate?: boolean } = {}): Promise<Replica> {
    const env = {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      ADAPTER: this.project.platform,
      MIGRATE: String(options.migrate ?? false),
    };
    const child = spawn(this.node, [MAIN[this.project.modules]], { cwd: this.directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.processes.push(child);
    let printed = '';
    child.stderr.on('data', (text: Buffer) => (printed += text.toString()));
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    for await (const line of createInterface(child.stdout)) {
      printed += `${line}\n`;
      const [, url] = /^listening on (.+)$/.exec(line) ?? [];
      if (url === undefined) continue;
      child.stdout.resume();
      return { url, kill: () => (child.kill('SIGKILL'), ended) };
    }
    await ended;
    throw new Error(`the application didn't start: ${printed}`);
  }

  /** The major version of the Node that runs it. */
  async nodeVersion(): Promise<string> {
    const { stdout } = await promisify(execFile)(this.node, ['-p', 'process.versions.node.split(".")[0]']);
    return stdout.trim();
  }

  /** What is installed, as the package's peers find it. */
  versions(): ForeignProject['packages'] {
    const of = (name: string): string =>
      (JSON.parse(readFileSync(join(this.directory, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version;
    return { nest: of('@nestjs/core'), nestTypeorm: of('@nestjs/typeorm'), typeorm: of('typeorm'), pg: of('pg') };
  }

  /** What TypeScript has against `types.ts` and the README's example in this project, under these flags; nothing where they compile. */
  async typeErrors(resolution: string): Promise<string> {
    const files = ['types.ts', ...writeExample(this.directory, this.project)];
    const flags = '--noEmit --strict --skipLibCheck --experimentalDecorators --emitDecoratorMetadata --target es2022 --types node'.split(
      ' ',
    );
    const types = join(ROOT, 'node_modules/@types');
    const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), ...flags, ...resolution.split(' '), '--typeRoots', types, ...files];
    const { stdout } = await promisify(execFile)(process.execPath, tsc, { cwd: this.directory }).catch(
      (error: { stdout: string }) => error,
    );
    return stdout;
  }

  /** Ends what still runs, and deletes the folder. */
  remove(): void {
    for (const child of this.processes) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Where the program of this version of Node is, which npm keeps in its cache. @throws what npm says that can't get it */
async function programOf(version: ForeignProject['node']): Promise<string> {
  if (version === undefined) return process.execPath;
  // The package puts the program of this machine in its place by its install script.
  const flags = ['--yes', '--ignore-scripts=false', '--package', `node@${version}`, '--', 'node', '-p', 'process.execPath'];
  const { stdout } = await promisify(execFile)('npx', flags, { cwd: tmpdir() });
  return stdout.trim();
}

/** A process of a foreign application. */
export interface Replica {
  url: string;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
}

/** The blocks of code in the package's README as the files that they import one another as. @returns their names */
function writeExample(directory: string, { modules }: ForeignProject): string[] {
  const readme = readFileSync(join(ROOT, 'packaging/core/README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
  const names = ['notes.controller.ts', 'app.module.ts'];
  if (blocks.length !== names.length) throw new Error(`the README has ${blocks.length} blocks of code`);
  for (const [index, name] of names.entries()) {
    const code = blocks[index] ?? '';
    writeFileSync(join(directory, name), modules === 'ESM' ? code.replaceAll(/(from '\.\/.*)'/g, "$1.js'") : code);
  }
  return names;
}
