import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '../../client/src/index.js';
import { fileStore } from '../../client/src/node.js';
import { STORE_RULES } from './store-contract.js';

const directories: string[] = [];
afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true })));

describe('in memory', () => {
  it.each(STORE_RULES)('$name', async ({ check }) => {
    const store = memoryStore();
    await expect(check(async () => store)).resolves.toBeUndefined();
  });
});

describe('in files', () => {
  it.each(STORE_RULES)('$name', async ({ check }) => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-store-'));
    directories.push(directory);
    await expect(check(async () => fileStore(join(directory, 'made', 'when needed')))).resolves.toBeUndefined();
  });
});
