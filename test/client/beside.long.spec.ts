import { execFile, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LIBRARIES } from '../../storm/callers/libraries.js';
import { rowsOf } from '../docs/markdown.js';
import { registryAnswers } from '../package/install.js';

const ROOT = join(__dirname, '../..');
const requirements = join(ROOT, 'storm/callers/libraries/requirements.txt');
const pip = ['-m', 'pip', 'install', '--quiet', '--dry-run', '--ignore-installed', '--timeout', '10', '-r', requirements];
const answer = registryAnswers() && spawnSync('python3', pip, { cwd: tmpdir(), timeout: 60_000 }).status === 0;

(answer ? describe : describe.skip)(`popular libraries${answer ? '' : ' (left out: npm or pip gives no packages here)'}`, () => {
  it('come through the bad network with the lines that the page shows: each order has its end, once, and its caller knows it', async () => {
    const command = ['dist/storm/callers/main.js', '--orders', '20', '--beside', '--right'];
    const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: ROOT });
    const books = rowsOf(stdout).map(([name, orders, placed, refused, , unanswered, , duplicates, lies]) => ({
      name,
      books: [orders, placed, refused, unanswered, duplicates, lies],
    }));
    expect(books.map(({ name }) => name)).toEqual(['holdfast', ...LIBRARIES.map((library) => `${library}-right`)]);
    for (const { name, books: told } of books) expect([name, ...told]).toEqual([name, '20', '19', '1', '0', '0', '0']);
  }, 600_000);
});
