import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { KEY_A, KEY_B } from './keys.js';

const ROOT = resolve(__dirname, '../..');
const JEST = resolve(ROOT, 'node_modules/jest/bin/jest.js');

/** Runs the end-to-end suite against an address, and gives what it says. @throws Error where a test fails */
export async function runEndToEnd(url: string): Promise<string> {
  const env = { PATH: process.env['PATH'], BASE_URL: url, DEMO_API_KEY: KEY_A, DEMO_API_KEY_B: KEY_B };
  const { stderr } = await promisify(execFile)(process.execPath, [JEST, '--config', 'jest.e2e.config.js'], { cwd: ROOT, env });
  return stderr;
}
