import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { fly, type Call, type Result } from './pipeline.js';
import { databaseError } from './errors.js';

/** Looks in one flight at most: an answer may be as large as 2 MiB. */
const MOST = 32;

interface Look {
  call: Call;
  found: (result: Result) => void;
  failed: (error: unknown) => void;
}

/**
 * Reads that need no transaction. Those that are asked for in the same turn of the event loop leave in one flight over one
 * connection: a packet each way costs more than a look does, and retries come in crowds.
 */
export class RecordReader {
  private waiting: Look[] = [];

  constructor(private readonly dataSource: DataSource) {}

  /** The statement's result. @throws the database's error, and what a pool says that has no connection */
  read(call: Call): Promise<Result> {
    return new Promise((found, failed) => {
      if (this.waiting.length === 0) setImmediate(() => this.sendAll());
      this.waiting.push({ call, found, failed });
    });
  }

  private sendAll(): void {
    while (this.waiting.length > 0) void this.send(this.waiting.splice(0, MOST));
  }

  private async send(looks: Look[]): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client = (await runner.connect()) as PoolClient;
      const end = await fly(
        client,
        looks.map(({ call }) => call),
      );
      for (const [at, { call, found, failed }] of looks.entries()) {
        const result = end.results[at];
        if (result) found(result);
        // The server refused one look and skipped those behind it, which are others' and get another flight.
        else if (at > end.results.length && databaseError(end.error)) this.read(call).then(found, failed);
        else failed(end.error);
      }
    } catch (error) {
      for (const { failed } of looks) failed(error);
    } finally {
      await runner.release();
    }
  }
}
