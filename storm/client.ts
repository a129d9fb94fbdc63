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
  headers: Record<string, string>;
  /** How often it was sent. */
  tries: number;
  /** All final answers, in the order in which they came. */
  answers: Answer[];
  /** `vanished`: the client never came back. `gave-up`: it stopped asking before there was an end. `stuck`: there was none in time. */
  end: 'open' | 'final' | 'vanished' | 'gave-up' | 'stuck';
}

/** What was told of a key that its client gave up. */
export interface Sealed {
  key: string;
  state: 'sealed' | 'completed';
}

/** How something is sent: by so many copies of the client at once, so often at most, with these headers. */
interface Sending {
  copies?: number;
  tries?: number;
  headers?: Record<string, string>;
}

const STORED_HEADERS = ['content-type', 'location', 'etag', 'operation-id', 'link'];
/** Why the same is sent again, in the words of Retry-Reason. */
type RetryReason = 'timeout' | 'connection' | 'server-error' | 'in-progress' | 'rate-limited' | 'manual';

/** That there is no final answer yet: when to come again, in milliseconds, and why. */
interface Again {
  pause: number;
  reason: RetryReason;
}

/** Longer than a replica waits for the provider, in milliseconds. */
const PATIENCE = 5_000;

/**
 * A client that knows nothing of idempotency but the contract's two sentences: a request without an answer is sent again
 * under its key, and an answer is followed as its `retry` and its Retry-After say.
 */
export class ObedientClient {
  readonly operations: Operation[] = [];
  readonly seals: Sealed[] = [];
  retries = 0;

  constructor(
    private readonly replicas: readonly Piece[],
    private readonly random: Random,
    private readonly stuckAfter: number,
  ) {}

  /** Sends until there is a final answer, and returns it. `copies` of the client do so at once under one key; `tries` at most. */
  async send(path: string, body: unknown, { copies = 1, tries = Infinity, headers = {} }: Sending = {}): Promise<Answer | null> {
    const operation = this.begin(path, body, headers);
    await Promise.all(Array.from({ length: copies }, () => this.sendUntilFinal(operation, tries)));
    if (operation.end === 'open') operation.end = tries < Infinity ? 'gave-up' : 'stuck';
    return operation.answers[0] ?? null;
  }

  /** Sends once, hangs up after a while, and never asks again. */
  async sendAndVanish(path: string, body: unknown, headers: Record<string, string>): Promise<void> {
    const operation = this.begin(path, body, headers);
    operation.end = 'vanished';
    await this.try(operation, this.random.whole(0, 150)).catch(() => undefined);
  }

  /** Sends, gives the key up at the same time, and sends once more, as what is late on its way would come. */
  async giveUp(path: string, body: unknown): Promise<Answer | null> {
    const operation = this.begin(path, body);
    const first = this.try(operation, PATIENCE).catch(() => undefined);
    await sleep(this.random.whole(0, 40));
    const told = await this.ask('POST', '/v1/operations/seal', { idempotencyKey: operation.key });
    await first;
    if (told?.status === 200) this.seals.push({ key: operation.key, state: (JSON.parse(told.text) as Sealed).state });
    await this.sendUntilFinal(operation, Infinity);
    if (operation.end === 'open') operation.end = 'stuck';
    return operation.answers[0] ?? null;
  }

  /** A request without a key, which may be sent as often as one likes; null without an end in time. */
  async ask(method: string, path: string, body?: unknown): Promise<Answer | null> {
    for (const deadline = performance.now() + this.stuckAfter; performance.now() < deadline;) {
      const answer = await this.request(method, path, body, {}, PATIENCE).catch((error: unknown) => this.lost(error));
      if ('status' in answer) return answer;
      await sleep(answer.pause);
    }
    return null;
  }

  /** Sends an operation that has its final answer once more. */
  async repeat(operation: Operation): Promise<void> {
    await this.sendUntilFinal(operation, Infinity, 'manual');
  }

  private begin(path: string, body: unknown, headers: Record<string, string> = {}): Operation {
    const operation: Operation = { key: uuidv7(), path, body, headers, tries: 0, answers: [], end: 'open' };
    this.operations.push(operation);
    return operation;
  }

  /** `reason`: why it is sent again, where it was sent before. */
  private async sendUntilFinal(operation: Operation, tries: number, reason?: RetryReason): Promise<void> {
    const deadline = performance.now() + this.stuckAfter;
    for (let turn = 1; turn <= tries && performance.now() < deadline; turn += 1) {
      if (turn > 1) this.retries += 1;
      const again = await this.try(operation, PATIENCE, reason).catch((error: unknown) => this.lost(error));
      if (again === 'final') {
        operation.end = 'final';
        return;
      }
      reason = again.reason;
      await sleep(again.pause);
    }
  }

  /** One request to one of the replicas; a retry says which one it is, and why. */
  private async try(operation: Operation, patience: number, reason?: RetryReason): Promise<'final' | Again> {
    const { key, path, body } = operation;
    operation.tries += 1;
    const retry = reason && { 'retry-attempt': String(operation.tries), 'retry-reason': reason };
    const answer = await this.request('POST', path, body, { ...operation.headers, ...retry, 'idempotency-key': key }, patience);
    if (!('status' in answer)) return answer;
    operation.answers.push(answer);
    return 'final';
  }

  /** A request without an answer: the client hung up, or its connection broke. */
  private lost(error: unknown): Again {
    const reason = error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'connection';
    return { pause: this.random.whole(20, 120), reason };
  }

  /** The final answer of one of the replicas, or when to come again. */
  private async request(method: string, path: string, body: unknown, headers: object, patience: number): Promise<Answer | Again> {
    const replica = this.random.of(this.replicas);
    const response = await fetch(`${replica?.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${API_KEY}`, ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(patience),
    });
    const text = await response.text();
    const again = response.status === 202 || (text && (JSON.parse(text) as { retry?: string }).retry === 'same-key');
    if (again) return { pause: Number(response.headers.get('retry-after') ?? 1) * 1_000, reason: reasonOf(response.status) };
    const stored = STORED_HEADERS.flatMap((name) => [[name, response.headers.get(name)] as const]).filter(([, value]) => value !== null);
    return { status: response.status, text, headers: Object.fromEntries(stored) as Record<string, string> };
  }
}

function reasonOf(status: number): RetryReason {
  if (status === 408) return 'timeout';
  if (status === 429) return 'rate-limited';
  return status >= 500 ? 'server-error' : 'in-progress';
}
