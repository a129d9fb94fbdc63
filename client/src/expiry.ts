import type { Answer } from './answer.js';

/** How long a server keeps its answers when nobody has said: what most of those that publish it have. */
export const USUAL_WINDOW_MS = 24 * 3_600_000;
/** The part of the server's window that is used: clocks differ, and the window began before its answer came. */
const USED = 0.9;
const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** An operation in the policy of a server, as far as it is read here. */
interface PolicyOperation {
  method: string;
  path: string;
  window: string | null;
}

/** How long the server of a client keeps the answers of its operations. */
export class Windows {
  private rules: { method: string; path: RegExp; ms: number }[] = [];

  /** @param usualMs where the policy says nothing */
  constructor(private readonly usualMs: number) {}

  /**
   * Takes what `/.well-known/idempotency` says.
   * @throws TypeError where it isn't such a policy
   */
  learn(policy: unknown): void {
    const { operations } = policy as { operations?: PolicyOperation[] };
    if (!Array.isArray(operations)) throw new TypeError('the policy of keys has no operations');
    this.rules = operations.flatMap(({ method, path, window }) => {
      const ms = durationMs(window);
      // `{id}` stands for one segment.
      const pattern = path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]*\}/g, '[^/?]+');
      return ms === undefined ? [] : [{ method, path: new RegExp(`^${pattern}(\\?|$)`), ms }];
    });
  }

  /** When a request that is sent for the first time at `now` is not sent again, in milliseconds since 1970. */
  expiryOf(method: string, path: string, now: number): number {
    const rule = this.rules.find((each) => each.method === method && each.path.test(path));
    return now + (rule?.ms ?? this.usualMs) * USED;
  }
}

/** The expiry that an answer gives (`Idempotency-Expires`), by our clock; undefined where it gives none. */
export function toldExpiry({ headers }: Pick<Answer, 'headers'>, now: number): number | undefined {
  const expires = Date.parse(headers['idempotency-expires'] ?? '');
  if (Number.isNaN(expires)) return undefined;
  // By the server's own clock, where it shows it; to a page of another origin it doesn't.
  const sent = Date.parse(headers['date'] ?? '');
  return now + (expires - (Number.isNaN(sent) ? now : sent)) * USED;
}

function durationMs(window: string | null): number | undefined {
  const [, amount, unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(window ?? '') ?? [];
  const ms = UNITS[unit];
  return ms === undefined ? undefined : Number(amount) * ms;
}
