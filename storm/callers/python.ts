import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { promisify } from 'node:util';
import type { WantedOrder } from './orders.js';

/** What a library of Python has of an order at its end: the answer, or the error without one. */
type Ended = { status: number; body: string } | { error: string };

/** A process of Python that places one order after the other by a module of a folder. */
export class PythonCaller {
  private readonly lines: AsyncIterator<string>;

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly reader: Interface,
  ) {
    this.lines = reader[Symbol.asyncIterator]();
  }

  /** Installs the packages of `requirements.txt` into its folder. @throws what pip says that can't, or that there is no python3 */
  static async install(directory: string): Promise<void> {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', '.', '-r', 'requirements.txt'];
    await promisify(execFile)('python3', pip, { cwd: directory });
  }

  /** @param module with a function of the name `way` */
  static start(directory: string, module: string, way: string): PythonCaller {
    const child = spawn('python3', ['orders.py', module, way], { cwd: directory });
    child.stderr.pipe(process.stderr, { end: false });
    return new PythonCaller(child, createInterface(child.stdout));
  }

  /** @throws Error where the process has ended, with the response where there was one that is no success */
  async place(url: string, headers: Record<string, string>, order: WantedOrder): Promise<{ id: string }> {
    this.child.stdin.write(`${JSON.stringify({ url, headers, order })}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error('the process of Python has ended');
    const ended = JSON.parse(value) as Ended;
    if ('error' in ended) throw new Error(ended.error);
    if (ended.status < 400) return JSON.parse(ended.body) as { id: string };
    throw Object.assign(new Error(`the service answered ${ended.status}`), { response: ended });
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const closed = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await closed;
    this.reader.close();
  }
}
