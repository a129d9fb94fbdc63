// `npm run pack:client [-- folder]`: this folder as an npm package with ES modules, CommonJS and types for both,
// holdfast-client-<version>.tgz in dist/client or in the folder named.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
const target = resolve(process.argv[2] ?? join(root, 'dist', 'client'));
const directory = join(target, 'package');

rmSync(directory, { recursive: true, force: true });
compile('esm', ['--module', 'nodenext', '--moduleResolution', 'nodenext']);
compile('cjs', ['--module', 'commonjs', '--moduleResolution', 'bundler']);
// What a package.json beside the files says goes before what the one of the package says.
writeJson(join(directory, 'cjs', 'package.json'), { type: 'commonjs' });

const { version, license, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const manifest = JSON.parse(readFileSync(join(import.meta.dirname, 'package.template.json'), 'utf8'));
writeJson(join(directory, 'package.json'), { ...manifest, version, license, engines });
copyFileSync(join(import.meta.dirname, 'README.md'), join(directory, 'README.md'));
copyFileSync(join(root, 'LICENSE'), join(directory, 'LICENSE'));
const tarball = execFileSync('npm', ['pack', directory, '--silent', '--ignore-scripts', '--pack-destination', target], {
  encoding: 'utf8',
}).trim();
console.log(join(target, tarball));

function compile(folder, flags) {
  mkdirSync(join(directory, folder), { recursive: true });
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', import.meta.dirname, '--outDir', join(directory, folder), ...flags];
  execFileSync(process.execPath, tsc, { stdio: ['ignore', 2, 2] });
}

function writeJson(file, content) {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}
