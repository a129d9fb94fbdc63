// Fails, and names them, when processes that this run started are still there: those that carry its mark in their environment,
// and the servers, which get a clean environment, by the packages of this checkout that they run from. Called with `before` as
// second argument it writes down, in the file of the first, what runs already and is somebody else's business.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a process that is on its way out may take. */
const PATIENCE = 5_000;
const [file, moment] = process.argv.slice(2);
const mark = `HOLDFAST_CI_RUN=${process.env.HOLDFAST_CI_RUN}`;
const packages = `${process.cwd()}/node_modules/`;

/** Empty when the process is gone, or is none of our business. */
function read(what) {
  try {
    return what();
  } catch {
    return '';
  }
}

function parents() {
  const family = new Set([String(process.pid)]);
  for (let pid = process.ppid; pid > 1;) {
    family.add(String(pid));
    pid = Number(/^PPid:\s+(\d+)/m.exec(read(() => readFileSync(`/proc/${pid}/status`, 'utf8')))?.[1] ?? 0);
  }
  return family;
}

function leftByProc() {
  const family = parents();
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && !family.has(pid))
    .filter((pid) => {
      const environment = read(() => readFileSync(`/proc/${pid}/environ`, 'utf8')).split('\0');
      return environment.includes(mark) || read(() => readlinkSync(`/proc/${pid}/exe`)).startsWith(packages);
    })
    .map(
      (pid) =>
        `${pid} ${read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
          .replaceAll('\0', ' ')
          .trim()}`,
    );
}

/** Where there is no /proc: by the command line alone. */
function leftByPs() {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid=,command='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(packages) && !line.trim().startsWith(`${process.pid} `));
}

const find = existsSync('/proc/self/environ') ? leftByProc : leftByPs;
const idOf = (line) => line.trim().split(' ', 1)[0];

if (moment === 'before') {
  writeFileSync(file, find().map(idOf).join('\n'));
  process.exit(0);
}

const before = new Set(readFileSync(file, 'utf8').split('\n'));
const left = () => find().filter((line) => !before.has(idOf(line)));
const until = performance.now() + PATIENCE;
let found = left();
while (found.length > 0 && performance.now() < until) {
  await sleep(100);
  found = left();
}
if (found.length > 0) {
  process.stderr.write(`Processes that this run left behind:\n${found.map((line) => `  ${line}\n`).join('')}`);
  process.exit(1);
}
