import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Piece } from './processes.js';
import type { Random } from './random.js';
import { API_KEY } from './world.js';

/** An answer after which the key has no other one. */
export interface Answer {
  status: number;
  text: string;
  /** Those that are stored and replayed. */
  headers: Record<string, string>;
}

/** One thing that a client wanted, under one key. */
export interface Operation {
  key: string;
  path: string;
  body: unknown;
  /** All final answers, in the order in which they came. */
  answers: Answer[];
  /** `vanished`: the client never came back. `gave-up`: it stopped asking before there was an end. `stuck`: there was none in time. */
  end: 'open' | 'final' | 'vanished' | 'gave-up' | 'stuck';
}

const STORED_HEADERS = ['content-type', 'location', 'etag', 'operation-id', 'link'];
/** Longer than a replica waits for the provider, in milliseconds. */
const PATIENCE = 5_000;

/**
 * A client that knows nothing of idempotency but the contract's two sentences: a request without an answer is sent again
 * under its key, and an answer is followed as its `retry` and its Retry-After say.
 */
export class ObedientClient {
  readonly operations: Operation[] = [];
  retries = 0;

  constructor(
    private readonly replicas: readonly Piece[],
    private readonly random: Random,
    private readonly stuckAfter: number,
  ) {}

  /** Sends until there is a final answer, and returns it. `copies` of the client do so at once under one key; `tries` at most. */
  async send(path: string, body: unknown, { copies = 1, tries = Infinity } = {}): Promise<Answer | null> {
    const operation = this.begin(path, body);
    await Promise.all(Array.from({ length: copies }, () => this.sendUntilFinal(operation, tries)));
    if (operation.end === 'open') operation.end = tries < Infinity ? 'gave-up' : 'stuck';
    return operation.answers[0] ?? null;
  }

  /** Sends once, hangs up after a while, and never asks again. */
  async sendAndVanish(path: string, body: unknown): Promise<void> {
    const operation = this.begin(path, body);
    operation.end = 'vanished';
    await this.try(operation, this.random.whole(0, 150)).catch(() => undefined);
  }

  /** Sends an operation that has its final answer once more. */
  async repeat(operation: Operation): Promise<void> {
    await this.sendUntilFinal(operation, Infinity);
  }

  private begin(path: string, body: unknown): Operation {
    const operation: Operation = { key: uuidv7(), path, body, answers: [], end: 'open' };
    this.operations.push(operation);
    return operation;
  }

  private async sendUntilFinal(operation: Operation, tries: number): Promise<void> {
    const deadline = performance.now() + this.stuckAfter;
    for (let turn = 1; turn <= tries && performance.now() < deadline; turn += 1) {
      if (turn > 1) this.retries += 1;
      const pause = await this.try(operation, PATIENCE).catch(() => this.random.whole(20, 120));
      if (pause === 'final') {
        operation.end = 'final';
        return;
      }
      await sleep(pause);
    }
  }

  /** One request to one of the replicas: `final`, or the milliseconds after which the same key may be sent again. */
  private async try(operation: Operation, patience: number): Promise<'final' | number> {
    const replica = this.random.of(this.replicas);
    const response = await fetch(`${replica?.url}${operation.path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'idempotency-key': operation.key, 'content-type': 'application/json' },
      body: JSON.stringify(operation.body),
      signal: AbortSignal.timeout(patience),
    });
    const text = await response.text();
    const again = response.status === 202 || (JSON.parse(text) as { retry?: string }).retry === 'same-key';
    if (again) return Number(response.headers.get('retry-after') ?? 1) * 1_000;
    const headers = STORED_HEADERS.flatMap((name) => [[name, response.headers.get(name)] as const]).filter(([, value]) => value !== null);
    operation.answers.push({ status: response.status, text, headers: Object.fromEntries(headers) as Record<string, string> });
    return 'final';
  }
}
