import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import type { Caller, Told, WantedOrder } from './orders.js';
import { PythonCaller } from './python.js';

/** Libraries that send again by themselves, each in two ways: as most use it, and with the few lines that make it right. */
export const LIBRARIES = ['got', 'axios-retry', 'undici', 'ky', 'p-retry', 'urllib3'] as const;
export const WAYS = ['usual', 'right'] as const;

export type Library = (typeof LIBRARIES)[number];
export type Way = (typeof WAYS)[number];

/** Posts an order and returns what the answer says. @throws the library's error, with the response where there was one */
type Place = (url: string, headers: Record<string, string>, order: WantedOrder) => Promise<{ id: string }>;

/** By which file of `storm/callers/libraries` a library is called. One of Python can't be named as what it imports. */
export const fileOf = (library: Library): string => (library === 'urllib3' ? 'by_urllib3.py' : `${library}.mjs`);

/** The libraries, installed from their registries into a temporary folder. */
export class Libraries {
  private readonly processes: PythonCaller[] = [];

  private constructor(private readonly directory: string) {}

  /**
   * @param sources the folder with their versions and how each is called
   * @throws what npm or pip says that can't install them, or that there is no python3
   */
  static async install(sources: string): Promise<Libraries> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-callers-'));
    await cp(sources, directory, { recursive: true });
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: directory });
    await PythonCaller.install(directory);
    return new Libraries(directory);
  }

  /** A caller that places every order by the library, with one key for each order. */
  async caller(library: Library, way: Way, url: string, apiKey: string): Promise<Caller> {
    const place = await this.placeBy(library, way);
    return {
      order: (order) => {
        const headers = { authorization: `Bearer ${apiKey}`, 'idempotency-key': uuidv7() };
        return place(`${url}/v1/orders`, headers, order).then(placed, toldBy);
      },
    };
  }

  private async placeBy(library: Library, way: Way): Promise<Place> {
    const file = fileOf(library);
    if (!file.endsWith('.py')) return ((await import(pathToFileURL(join(this.directory, file)).href)) as Record<Way, Place>)[way];
    const python = PythonCaller.start(this.directory, basename(file, '.py'), way);
    this.processes.push(python);
    return (...asked) => python.place(...asked);
  }

  /** Ends the processes and deletes the folder. */
  async remove(): Promise<void> {
    await Promise.all(this.processes.map((python) => python.close()));
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
