import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import type { Caller, Told, WantedOrder } from './orders.js';

/** Libraries that send again by themselves, each in two ways: as most use it, and with the few lines that make it right. */
export const LIBRARIES = ['got', 'axios-retry', 'undici', 'ky', 'p-retry'] as const;
export const WAYS = ['usual', 'right'] as const;

export type Library = (typeof LIBRARIES)[number];
export type Way = (typeof WAYS)[number];

/** Posts an order and returns what the answer says. @throws the library's error, with the response where there was one */
type Place = (url: string, headers: Record<string, string>, order: WantedOrder) => Promise<{ id: string }>;

/** The libraries, installed from the registry into a temporary folder. */
export class Libraries {
  private constructor(private readonly directory: string) {}

  /**
   * @param sources the folder with their versions and how each is called
   * @throws what npm says that can't install them
   */
  static async install(sources: string): Promise<Libraries> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-callers-'));
    await cp(sources, directory, { recursive: true });
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: directory });
    return new Libraries(directory);
  }

  /** A caller that places every order by the library, with one key for each order. */
  async caller(library: Library, way: Way, url: string, apiKey: string): Promise<Caller> {
    const module = (await import(pathToFileURL(join(this.directory, `${library}.mjs`)).href)) as Record<Way, Place>;
    return {
      order: (order) => {
        const headers = { authorization: `Bearer ${apiKey}`, 'idempotency-key': uuidv7() };
        return module[way](`${url}/v1/orders`, headers, order).then(placed, toldBy);
      },
    };
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true });
  }
}

const placed = ({ id }: { id: string }): Told => ({ end: 'placed', id });

/** What whoever catches the error knows: it is refused where the problem in the response says so, and otherwise it may be anything. */
async function toldBy(error: unknown): Promise<Told> {
  const { response } = error as { response?: { body?: unknown; data?: unknown; text?(): Promise<string> } };
  const body = typeof response?.text === 'function' ? await response.text() : (response?.data ?? response?.body);
  return { end: isFinal(body) ? 'refused' : 'unanswered' };
}

function isFinal(body: unknown): boolean {
  try {
    const { retry } = (typeof body === 'string' ? JSON.parse(body) : body) as { retry?: unknown };
    return retry === 'new-key' || retry === 'never';
  } catch {
    return false;
  }
}
