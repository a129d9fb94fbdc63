import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../bench/growth/report.js';
import { run, start } from '../support/built-process.js';

const TINY = '--records 0,2000 --requests 40 --rounds 1 --purge-rows 2000 --memory-requests 200 --json'.split(' ');

// A place of its own, to see what is left in it.
let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'holdfast-test-bench-'));
  chmodSync(place, 0o755);
});
afterEach(() => rmSync(place, { recursive: true }));

describe('npm run bench:growth', () => {
  it('measures all three parts, purges what has expired and nothing else, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await run('bench/growth.js', TINY, { TMPDIR: place });
    expect([code, readdirSync(place)]).toEqual([0, []]);
    expect(stderr).toContain('memory: ');
    const { machine, records, purge, memory } = JSON.parse(stdout) as Report;
    expect(machine).toMatchObject({ node: process.version, postgres: expect.stringMatching(/^\d+/) });

    expect(records?.map(({ keys, records }) => [keys, records])).toEqual([
      ['uuidv7', 0],
      ['uuidv7', 2_000],
      ['random', 0],
      ['random', 2_000],
    ]);
    for (const result of records ?? []) {
      expect(result.ratio.low).toBeGreaterThan(0);
      expect(result.walBytesPerRequest.median).toBeGreaterThan(0);
      expect(Object.keys(result.indexBytes)).toContain('idempotency_records_pkey');
    }

    expect(purge).toMatchObject({ rows: 2_000, live: 200, rounds: [{ expired: 2_000, archived: 2_000, archivedEarly: 0, left: 0 }] });
    expect(purge?.rounds[0]?.vacuumed.freeBytes).toBeGreaterThan(0);

    expect(memory?.samples.map(({ requests }) => requests)).toEqual([50, 100, 150, 200]);
    expect(memory?.baseline.requests).toBe(100);
  }, 600_000);

  it.each([
    ['while the server starts', () => readdirSync(place).length > 0],
    ['while it measures', (output: string) => output.includes('records: round 1')],
  ])(
    'stops its server and removes its directory when it is interrupted %s',
    async (_when, reached) => {
      const command = start('bench/growth.js', TINY, { TMPDIR: place });
      while (!reached(command.output())) await new Promise((resolve) => setTimeout(resolve, 10));
      const { code, stderr } = await command.stop();
      expect([code, readdirSync(place), stderr]).toEqual([143, [], expect.not.stringContaining('Error')]);
    },
    600_000,
  );

  it('refuses what it does not know', async () => {
    const { code, stderr } = await run('bench/growth.js', ['--only', 'speed']);
    expect([code, stderr]).toEqual([64, expect.stringContaining('speed is none of records, purge, memory')]);
  });
});
