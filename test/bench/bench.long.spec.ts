import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figures, Results } from '../../bench/results.js';
import { run, start } from '../support/built-process.js';
import { eventually } from '../support/eventually.js';

const TINY = ['--requests', '40', '--rounds', '1', '--base-rows', '1000'];

describe('a tiny run', () => {
  let results: Results;
  beforeAll(async () => {
    const { code, stdout, stderr } = await run('bench/main.js', ['--json', ...TINY]);
    if (code !== 0) throw new Error(stderr);
    // Fails on anything beside the one object.
    results = JSON.parse(stdout) as Results;
  }, 600_000);

  it.each([
    'firstVsFloor',
    'firstVsPlain',
    'firstVsPlainFlights',
    'firstVsNodeIdempotency',
    'hotReplayVsStatic',
    'coldReplayVsHot',
    'batchedVsSingle',
  ] as const)('measures %s, or says why not', (name) => {
    const ratio = results.ratios[name];
    if (ratio === null) {
      expect(results.reasons[name]).toEqual(expect.any(String));
    } else {
      expect(ratio).toBeGreaterThan(0);
      expect(results.spreads[name]).toEqual({ median: ratio, low: ratio, high: ratio });
    }
  });

  it('measures the service and whatever it is compared with', () => {
    const { first, replays, mix, payments } = results.workloads;
    const missing = Object.keys(results.reasons);
    const expected = ['holdfast', 'oneRole', 'claimFirst', 'floor', 'inFlights', 'oneByOne', 'nodeIdempotency', 'pgbench'].filter(
      (name) => !missing.includes(name),
    );
    expect(Object.keys(first).toSorted()).toEqual(expected.toSorted());
    expect(Object.keys(replays).toSorted()).toEqual(['cold', 'hot', 'static']);
    const all: Figures[] = [...Object.values(first), ...Object.values(replays), mix, ...Object.values(payments.variants)];
    for (const figures of all) {
      for (const name of ['perSecond', 'p50', 'p99'] as const) expect(figures[name]?.low).toBeGreaterThan(0);
    }
    for (const name of ['nodeUs', 'postgresUs', 'totalUs', 'residentMb'] as const) expect(first.holdfast?.[name]?.low).toBeGreaterThan(0);
  });

  it('the mix had retries, mismatches and bursts, and one order for each key', () => {
    const { statuses, effects } = results.workloads.mix;
    expect(Object.keys(statuses)).toEqual(expect.arrayContaining(['201', '422']));
    expect(effects.keys).toBeGreaterThan(0);
    expect(effects.orders).toBe(effects.keys);
  });

  it('charges each payment once', () => {
    const { requests, payments, charges } = results.workloads.payments.effects;
    expect(requests).toBeGreaterThan(0);
    expect([payments, charges]).toEqual([requests, requests]);
  });

  it('says what it ran on, and that PostgreSQL was durable', () => {
    expect(results.settings).toMatchObject({ fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', rounds: 1, baseRows: 1_000 });
    expect(results.machine).toMatchObject({ node: process.version, postgres: expect.stringMatching(/^\d+/) });
    expect(results.goals['durable']?.met).toBe(true);
  });

  it('tells for how many round trips an order waits', () => {
    const { distance } = results.workloads;
    for (const { p50, roundTrips } of Object.values(distance)) {
      expect(Object.keys(p50)).toEqual(['0', '1', '5']);
      expect(roundTrips.median).toBeGreaterThan(0);
    }
    expect(results.ratios.distantRoundTrips).toBe(distance.holdfast.roundTrips.median);
  });

  it('sees one account beside another that hammers a key', () => {
    for (const seen of ['quiet', 'held', 'unbounded', 'crowd200', 'crowd600'] as const) {
      expect(results.workloads.hotKey[seen].p99).toBeGreaterThan(0);
    }
  });
});

describe('the command line', () => {
  it.each([['--fast'], ['now'], ['--requests', 'many'], ['--requests'], ['--quick', '--write']])(
    'refuses %s %s in a sentence',
    async (...args: string[]) => {
      const { code, stdout, stderr } = await run('bench/main.js', args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^.+\n\nusage: npm run bench/);
    },
  );
});

it('leaves neither processes nor files behind when it is interrupted', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-test-'));
  // The database server's account must be able to enter.
  chmodSync(directory, 0o755);
  const bench = start('bench/main.js', TINY, { TMPDIR: directory });
  const pid = bench.child.pid ?? 0;
  try {
    await eventually('services', () => /first requests/.test(bench.output()) && descendantsOf(pid).length > 12, 60_000);
    const children = descendantsOf(pid);
    expect(await bench.stop()).toMatchObject({ code: 143, stdout: '' });
    await eventually('their end', () => children.every((child) => !processes().has(child)));
    expect(readdirSync(directory)).toEqual([]);
  } finally {
    bench.child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}, 600_000);

/** Processes that run, with their parents. */
function processes(): Map<number, number> {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return new Map(pids.flatMap((pid) => (parentOf(pid) === undefined ? [] : [[pid, parentOf(pid) ?? 0]])));
}

function parentOf(pid: number): number | undefined {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    // What waits for its parent to read its exit code has ended.
    return state === 'Z' ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

function descendantsOf(pid: number, all = processes()): number[] {
  const children = [...all].filter(([, parent]) => parent === pid).map(([child]) => child);
  return children.flatMap((child) => [child, ...descendantsOf(child, all)]);
}
