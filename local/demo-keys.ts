import { randomBytes, randomInt } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const key = z.string().regex(/^hf_test_[0-9a-z]{26}_[A-Za-z0-9]{32,128}$/);
const contents = z.object({ DEMO_API_KEY: key, DEMO_API_KEY_B: key });

/** The keys of the two demo accounts, by the names of the variables that hand them to the API. */
export type DemoKeys = z.infer<typeof contents>;

/**
 * The demo keys of this checkout: made once and kept in `file`, which only its owner may read.
 * @throws Error naming the file, and nothing of what it holds, when it is damaged
 */
export function demoKeys(file: string): DemoKeys {
  const kept = readText(file);
  if (kept !== undefined) return parse(kept, file);
  mkdirSync(dirname(file), { recursive: true });
  const unfinished = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(unfinished, `${JSON.stringify({ DEMO_API_KEY: newKey(), DEMO_API_KEY_B: newKey() }, null, 2)}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  try {
    // A link fails where a rename would replace: of two starts at once, both use the keys of the first.
    linkSync(unfinished, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(unfinished);
  }
  return parse(readFileSync(file, 'utf8'), file);
}

function parse(text: string, file: string): DemoKeys {
  try {
    return contents.parse(JSON.parse(text));
  } catch {
    throw new Error(`${file} does not hold two demo keys any more: remove it, and new ones are made.`);
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const LOWER = '0123456789abcdefghijklmnopqrstuvwxyz';
const ALL = `${LOWER}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;

/** `hf_test_<id>_<secret>`: the id is public, the secret has 238 bits. */
const newKey = (): string => `hf_test_${randomText(26, LOWER)}_${randomText(40, ALL)}`;

const randomText = (length: number, characters: string): string =>
  Array.from({ length }, () => characters[randomInt(characters.length)]).join('');
