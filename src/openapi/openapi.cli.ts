import 'reflect-metadata';
import { readFile, writeFile } from 'node:fs/promises';
import { createApp } from '../app.js';
import { parseConfig } from '../kernel/config.js';
import { buildDocument } from './document.js';

// Writes openapi.json at the root of the repository, from metadata alone: no database, no port. With --check it compares.
const FILE = new URL('../../../openapi.json', import.meta.url);

const app = await createApp(parseConfig({ LOG_LEVEL: 'silent' }), { preview: true });
const text = `${JSON.stringify(buildDocument(app), null, 2)}\n`;

if (process.argv.includes('--check')) {
  const present = await readFile(FILE, 'utf8').catch(() => '');
  if (present !== text) {
    process.stderr.write('openapi.json is stale: run `npm run openapi` and commit the file.\n');
    process.exitCode = 1;
  }
} else {
  await writeFile(FILE, text);
}
