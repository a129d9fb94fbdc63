import type { PipelineEnd } from './pipeline.js';
import type { Call, Result } from './statement.js';

/** What one asker wants of the database, and how it hears of it. */
interface Asked {
  calls: readonly Call[];
  resolve: (results: Result[]) => void;
  reject: (error: unknown) => void;
}

/** What is asked for at one moment, and leaves together in the order in which it was asked for. */
export class Packet {
  private readonly asked: Asked[] = [];
  private failure: { error: unknown } | undefined;

  get isEmpty(): boolean {
    return this.asked.length === 0;
  }

  get calls(): Call[] {
    return this.asked.flatMap(({ calls }) => calls);
  }

  /** Adds calls; resolves to their results. Rejects with the error of the first of all that failed: the server runs none behind it. */
  add(calls: readonly Call[]): Promise<Result[]> {
    const { failure } = this;
    if (failure) return Promise.reject(failure.error);
    return new Promise((resolve, reject) => this.asked.push({ calls, resolve, reject }));
  }

  /** Gives everybody what is theirs. */
  settle({ results, error }: PipelineEnd): void {
    let end = 0;
    for (const { calls, resolve, reject } of this.asked) {
      const begin = end;
      end += calls.length;
      if (end <= results.length) resolve(results.slice(begin, end));
      else reject(error);
    }
  }

  /** It does not leave, or what it left with made it void; whoever comes later is told the same. */
  fail(error: unknown): void {
    this.failure = { error };
    for (const { reject } of this.asked) reject(error);
  }
}
