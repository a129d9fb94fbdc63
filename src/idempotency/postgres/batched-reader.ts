import type { DataSource } from 'typeorm';
import { tellSql } from '../channels.js';
import type { Call, Result } from './statement.js';
import { enter } from './account-scope.js';
import { databaseError } from './errors.js';
import { sendUntold } from './transaction-connection.js';

/** Reads in one pipeline at most: an answer may be as large as 2 MiB. */
const MOST = 32;

interface Read {
  accountId: string;
  call: Call;
  found: (result: Result) => void;
  failed: (error: unknown) => void;
}

/**
 * Reads that need no transaction. Those that are asked for in the same turn of the event loop leave in one pipeline over one
 * connection: a packet each way costs more than a read does, and retries come in crowds.
 */
export class BatchedReader {
  private waiting: Read[] = [];

  constructor(private readonly dataSource: DataSource) {}

  /** The result of an account's statement. @throws the database's error, and what a pool says that has no connection */
  fetch(accountId: string, call: Call): Promise<Result> {
    return tellSql([call], () => this.enqueue(accountId, call));
  }

  private enqueue(accountId: string, call: Call): Promise<Result> {
    return new Promise((found, failed) => {
      if (this.waiting.length === 0) setImmediate(() => this.sendAll());
      this.waiting.push({ accountId, call, found, failed });
    });
  }

  private sendAll(): void {
    while (this.waiting.length > 0) void this.send(this.waiting.splice(0, MOST));
  }

  private async send(reads: Read[]): Promise<void> {
    try {
      const calls = reads.flatMap(({ accountId, call }) => [enter(accountId), call]);
      const { results, error } = await sendUntold(this.dataSource, calls);
      for (const [index, { accountId, call, found, failed }] of reads.entries()) {
        const at = 2 * index + 1;
        const result = results[at];
        if (result) found(result);
        // The server refused one read and skipped those behind it, which are others' and leave once more.
        else if (at > results.length + 1 && databaseError(error)) this.enqueue(accountId, call).then(found, failed);
        else failed(error);
      }
    } catch (error) {
      for (const { failed } of reads) failed(error);
    }
  }
}
