import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { NotReached } from '../protocol/decision.js';
import { IdempotencyRefusal } from '../refusal.js';

/** Those that RFC 9530, section 5, calls active, with their lengths in bytes. */
const ALGORITHMS: Record<string, { name: string; length: number }> = {
  'sha-256': { name: 'sha256', length: 32 },
  'sha-512': { name: 'sha512', length: 64 },
};

/** A member of a dictionary (RFC 9651, section 4.2.2): key, value, parameters. */
const MEMBER = /[ \t]*([a-z*][a-z0-9_.*-]*)(?:=(:[A-Za-z0-9+/=]*:|"(?:[^"\\]|\\.)*"|[^\s,;"():]+))?(?:;[^,"]*)*[ \t]*(,|$)/y;

/** What a request says its content is, by a `Content-Digest` header (RFC 9530, section 2). */
export class ContentDigest {
  /** By algorithm, in the order of their names. */
  private constructor(private readonly digests: readonly (readonly [algorithm: string, digest: Buffer])[]) {}

  /** Undefined where there is none that is understood. A field that breaks the rules is ignored as a whole (RFC 9651, section 4.2). */
  static of(header: string | string[] | undefined): ContentDigest | undefined {
    const members = membersOf(Array.isArray(header) ? header.join(', ') : (header ?? ''));
    const digests = [...members].flatMap(([key, value]) => {
      const bytes = value.startsWith(':') ? Buffer.from(value.slice(1, -1), 'base64') : undefined;
      return bytes && bytes.length === ALGORITHMS[key]?.length ? [[key, bytes] as const] : [];
    });
    return digests.length > 0 ? new ContentDigest(digests.sort(([a], [b]) => (a < b ? -1 : 1))) : undefined;
  }

  /** One text for one content. */
  get text(): string {
    return this.digests.map(([algorithm, digest]) => `${algorithm} ${digest.toString('hex')}`).join(', ');
  }

  /** @throws IdempotencyRefusal `content-digest-mismatch` */
  check(content: Uint8Array): void {
    this.compare(this.digests.map(([algorithm]) => hashOf(algorithm).update(content)));
  }

  /**
   * Reads along while somebody else reads the content. What it gives is to be called when that is done, and throws where the content was
   * read to its end and is another one.
   */
  follow(request: IncomingMessage): () => void {
    const hashes = this.digests.map(([algorithm]) => hashOf(algorithm));
    const emit = request.emit.bind(request) as (event: string | symbol, ...args: unknown[]) => boolean;
    // However it is read, by a pipe or a loop, each chunk is told as `data`.
    request.emit = (event: string | symbol, ...args: unknown[]) => {
      const [chunk] = args;
      if (event === 'data')
        for (const hash of hashes)
          hash.update(typeof chunk === 'string' ? Buffer.from(chunk, request.readableEncoding ?? 'utf8') : (chunk as Buffer));
      return emit(event, ...args);
    };
    return () => {
      if (!request.readableEnded) return;
      try {
        this.compare(hashes.map((hash) => hash.copy()));
      } catch (error) {
        throw new NotReached(error);
      }
    };
  }

  private compare(hashes: readonly Hash[]): void {
    const found = hashes.map((hash) => hash.digest());
    if (this.digests.some(([, digest], at) => !found[at]?.equals(digest))) throw new IdempotencyRefusal('content-digest-mismatch');
  }
}

function hashOf(algorithm: string): Hash {
  return createHash(ALGORITHMS[algorithm]?.name ?? algorithm);
}

/** The last one of a name counts. */
function membersOf(field: string): Map<string, string> {
  const members = new Map<string, string>();
  for (let at = 0; at < field.length; at = MEMBER.lastIndex) {
    MEMBER.lastIndex = at;
    const [, key, value = '?1', end] = MEMBER.exec(field) ?? [];
    if (key === undefined || (end === ',' && MEMBER.lastIndex === field.length)) return new Map();
    members.set(key, value);
  }
  return members;
}
