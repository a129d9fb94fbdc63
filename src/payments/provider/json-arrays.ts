const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/** Depth of an element of `{ "name": [element, …] }`. */
const ELEMENT_DEPTH = 3;

/**
 * Reads a JSON object of arrays of objects, `{ "charges": [{…}, …], "refunds": [{…}] }`, one element at a time and in one
 * element's memory, however long the arrays are. Elements of other arrays than `wanted` are not parsed.
 * @throws SyntaxError when an element is no JSON, or the text ends too early
 */
export async function* elementsOf(
  text: AsyncIterable<Uint8Array>,
  wanted: ReadonlySet<string>,
): AsyncGenerator<[name: string, element: unknown]> {
  const scanner = new Scanner();
  for await (const chunk of text) {
    for (const [name, bytes] of scanner.read(Buffer.from(chunk))) {
      if (wanted.has(name)) yield [name, JSON.parse(bytes.toString())];
    }
  }
  if (!scanner.ended) throw new SyntaxError('the text ends before its object does');
}

/** Follows strings and brackets; everything between is somebody else's to judge. JSON's syntax is ASCII, so bytes will do. */
class Scanner {
  private depth = 0;
  private inString = false;
  private escaped = false;
  private name = '';
  /** What is being collected: the last member's name at depth 1, or an element. */
  private parts: Buffer[] | undefined;
  private opened = false;

  get ended(): boolean {
    return this.opened && this.depth === 0;
  }

  *read(chunk: Buffer): Generator<[string, Buffer]> {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (byte === BACKSLASH) this.escaped = true;
        else if (byte === QUOTE) {
          this.inString = false;
          if (this.depth === 1) this.name = String(JSON.parse(this.take(chunk, from, at).toString()));
        }
      } else if (byte === QUOTE) {
        this.inString = true;
        if (this.depth === 1) [this.parts, from] = [[], at];
      } else if (OPENING.has(byte)) {
        this.opened = true;
        this.depth += 1;
        if (this.depth === ELEMENT_DEPTH) [this.parts, from] = [[], at];
      } else if (CLOSING.has(byte)) {
        if (this.depth === ELEMENT_DEPTH) yield [this.name, this.take(chunk, from, at)];
        this.depth -= 1;
      }
    }
    // Copied, since the reader may use the chunk's memory again.
    this.parts?.push(Buffer.from(chunk.subarray(from)));
  }

  private take(chunk: Buffer, from: number, last: number): Buffer {
    const bytes = Buffer.concat([...(this.parts ?? []), chunk.subarray(from, last + 1)]);
    this.parts = undefined;
    return bytes;
  }
}
