// `npm run test:alerts`: has promtool check Prometheus' configuration, the rules and the dashboard's expressions, and run the rules'
// own tests. Promtool is the one on the PATH, or that of Debian's package, which is fetched and unpacked beside this run where `CI` is
// set and there is an apt-get. Without one everything is skipped, and says so.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const work = mkdtempSync(join(tmpdir(), 'holdfast-alerts-'));
try {
  const found = promtool();
  if (found) process.exitCode = run(found);
  else
    console.log(
      'Skipped: there is no promtool here, so neither the alerts nor their tests were run. Debian and Ubuntu have it in the package prometheus.',
    );
} finally {
  rmSync(work, { recursive: true });
}

function promtool() {
  if (spawnSync('promtool', ['--version']).status === 0) return 'promtool';
  return process.env.CI ? fetched() : undefined;
}

/** Unpacked, not installed: the package would start a Prometheus. */
function fetched() {
  try {
    const apt = (...args) => execFileSync('apt-get', args, { cwd: work, stdio: ['ignore', 'ignore', 'ignore'] });
    // Others than root use the lists that are there.
    if (process.getuid?.() === 0) apt('update');
    apt('download', 'prometheus');
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    execFileSync('dpkg-deb', ['--extract', join(work, archive), work]);
    return join(work, 'usr/bin/promtool');
  } catch {
    return undefined;
  }
}

/** All checks, also after one that fails. */
function run(program) {
  const folder = import.meta.dirname;
  const checks = [
    ['check', 'config', join(folder, 'prometheus.yml')],
    ['test', 'rules', join(folder, 'alerts.test.yml')],
    ['check', 'rules', '--lint=none', expressionsOfDashboard()],
  ];
  return Math.max(...checks.map((args) => spawnSync(program, args, { stdio: 'inherit' }).status ?? 1));
}

/** As recording rules, with Grafana's variables filled in: promtool parses nothing but rules. */
function expressionsOfDashboard() {
  const { panels } = JSON.parse(readFileSync(join(import.meta.dirname, '../grafana/holdfast.json'), 'utf8'));
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const rules = expressions.map((expr, at) => ({ record: `dashboard:expression_${at}`, expr: filled(expr) }));
  const file = join(work, 'dashboard.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  return file;
}

function filled(expr) {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$operation', '.*');
}
