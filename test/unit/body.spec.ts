import * as fc from 'fast-check';
import { readJsonObject } from '../../src/http/json.js';

const MANY = 100_000;
const REACHING = new Set(['__proto__', 'constructor', 'prototype']);
const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0') && value.isWellFormed());
const value = fc.letrec((tie) => ({
  leaf: fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
  node: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(
      text.filter((name) => !REACHING.has(name)),
      tie('node'),
      { maxKeys: 3 },
    ),
  ),
})).node;
const object = fc.dictionary(
  text.filter((name) => !REACHING.has(name)),
  value,
  { maxKeys: 5 },
);

const bytes = (body: unknown): Buffer => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));

function codeOf(body: Buffer): string {
  try {
    readJsonObject(body, MANY);
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a body', () => {
  it('that is a JSON object comes through as it was sent', () => {
    fc.assert(fc.property(object, (body) => expect(JSON.stringify(readJsonObject(bytes(body), MANY).body)).toBe(JSON.stringify(body))));
  });

  it('that is empty is an empty object', () => {
    expect(readJsonObject(Buffer.alloc(0), MANY)).toEqual({ body: {}, doubled: false });
  });

  it('of any bytes is an object or malformed, never a failure', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (random) =>
        expect(['none', 'malformed-json']).toContain(codeOf(Buffer.from(random))),
      ),
    );
    fc.assert(fc.property(fc.json(), (json) => expect(['none', 'malformed-json']).toContain(codeOf(bytes(json)))));
  });

  it('that is no object is malformed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(value), text, fc.integer(), fc.boolean(), fc.constant(null)), (body) =>
        expect(codeOf(bytes(JSON.stringify(body)))).toBe('malformed-json'),
      ),
    );
  });

  it('with NUL or a lone surrogate anywhere is malformed', () => {
    const broken = fc.tuple(text, fc.constantFrom('\\u0000', '\\ud800', '\\udfff', '\\udc00\\ud800'), fc.nat(3));
    fc.assert(
      fc.property(broken, ([around, character, place]) => {
        const string = `${JSON.stringify(around).slice(0, -1)}${character}"`;
        const body = [`{"a":${string}}`, `{${string}:1}`, `{"a":[{"b":${string}}]}`, `{"a":{${string}:{}}}`][place] ?? '';
        expect(codeOf(bytes(body))).toBe('malformed-json');
      }),
    );
  });

  it.each(['__proto__', 'constructor', 'prototype'])('with a member named %s is malformed, at any depth', (name) => {
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 20 }), (member, depth) => {
        const body = `${'{"a":['.repeat(depth)}{${JSON.stringify(name)}:${JSON.stringify(member)}}${']}'.repeat(depth)}`;
        expect(codeOf(bytes(body))).toBe('malformed-json');
      }),
    );
  });

  it('may be 32 levels deep and no deeper, in objects, arrays and both', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (depth, kinds) => {
        let body = '';
        let end = '';
        for (let level = 1; level < depth; level += 1) {
          const [open, close] = kinds[level] && level > 1 ? ['[', ']'] : ['{"a":', '}'];
          body += open;
          end = close + end;
        }
        expect(codeOf(bytes(`${body}{}${end}`))).toBe(depth <= 32 ? 'none' : 'malformed-json');
      }),
    );
    expect(codeOf(bytes('['.repeat(100_000)))).toBe('malformed-json');
    expect(codeOf(bytes(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`))).toBe('malformed-json');
  });

  it.each(['1e400', '-1e400', '1e309'])('with the number %s is malformed', (number) => {
    expect(codeOf(bytes(`{"a":[${number}]}`))).toBe('malformed-json');
  });

  /** The values of a JSON value: itself and all inside of it. */
  const valuesOf = (parsed: unknown): number =>
    typeof parsed !== 'object' || parsed === null ? 1 : Object.values(parsed).reduce((sum: number, each) => sum + valuesOf(each), 1);
  /** JSON as somebody else may write it: blanks anywhere, any character of a text escaped. */
  const spelt = (parsed: unknown, random: () => number): string => {
    const blank = (): string => ['', '', ' ', '\n', '\t\r '][random() % 5] ?? '';
    if (typeof parsed === 'string') {
      const unit = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;
      const written = Array.from({ length: parsed.length }, (_, at) =>
        random() % 3 === 0 ? unit(parsed.charCodeAt(at)) : JSON.stringify(parsed[at]).slice(1, -1),
      );
      return `"${written.join('')}"`;
    }
    if (typeof parsed !== 'object' || parsed === null) return JSON.stringify(parsed);
    const inside = Array.isArray(parsed)
      ? parsed.map((each) => blank() + spelt(each, random) + blank())
      : Object.entries(parsed).map(
          ([name, each]) => `${blank()}${spelt(name, random)}${blank()}:${blank()}${spelt(each, random)}${blank()}`,
        );
    const [open, close] = Array.isArray(parsed) ? '[]' : '{}';
    return `${open}${inside.length === 0 ? blank() : inside.join(',')}${close}`;
  };
  const random = fc.array(fc.nat(1_000), { minLength: 7, maxLength: 30 }).map((numbers) => {
    let at = 0;
    return () => numbers[(at += 1) % numbers.length] ?? 0;
  });

  it('says what JSON.parse says, however it is written, and doubles nothing', () => {
    fc.assert(
      fc.property(object, random, (body, next) => {
        const read = readJsonObject(bytes(spelt(body, next)), MANY);
        expect(JSON.stringify(read.body)).toBe(JSON.stringify(body));
        expect(read.doubled).toBe(false);
      }),
    );
  });

  it('with a member named twice is doubled, however the name is spelt, wherever it stands, and keeps the last as JSON.parse does', () => {
    fc.assert(
      fc.property(object, object, fc.nat(4), value, value, random, (first, second, depth, one, other, next) => {
        const name = Object.keys(first)[0] ?? 'a';
        const members = [...Object.entries(first), [name, one] as const, ...Object.entries(second), [name, other] as const];
        const doubled = `{${members.map(([each, member]) => `${spelt(each, next)}:${spelt(member, next)}`).join(',')}}`;
        const body = `${'{"x":['.repeat(depth)}${doubled}${']}'.repeat(depth)}`;
        expect(readJsonObject(bytes(body), MANY)).toEqual({ body: JSON.parse(body), doubled: true });
      }),
    );
  });

  it.each(['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '{"a":{"b":1,"b":1}}', '{"a":[{},{"":0,"":0}]}', '{"a":{"b":{"c":1}},"a":1}'])(
    '%s is doubled',
    (body) => {
      expect(readJsonObject(bytes(body), MANY).doubled).toBe(true);
    },
  );

  it.each(['{"a":"\\"a\\":1,"}', '{"a:":"a:","a":":"}', '{"a":[{"b":1},{"b":1}]}', '{"a":{"a":{"a":1}}}', '{"\\\\":1,"\\"":2}'])(
    '%s is not',
    (body) => {
      expect(readJsonObject(bytes(body), MANY).doubled).toBe(false);
    },
  );

  it('may have as many values as the caller says, and not one more', () => {
    fc.assert(
      fc.property(object, random, (body, next) => {
        const read = (most: number) => () => readJsonObject(bytes(spelt(body, next)), most);
        const values = valuesOf(body);
        expect(read(values)).not.toThrow();
        if (values > 1) expect(read(values - 1)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
      }),
    );
  });

  it('may have 1 000 members in an object and 1 000 elements in an array, and not one more', () => {
    const members = (count: number): string => `{${Array.from({ length: count }, (_, n) => `"m${n}":[]`).join(',')}}`;
    const elements = (count: number): string => `{"a":[${Array.from({ length: count }, () => '{}').join(',')}]}`;
    for (const wide of [members, elements, (count: number) => `{"a":[${members(count)},[]]}`]) {
      expect(codeOf(bytes(wide(1_000)))).toBe('none');
      expect(codeOf(bytes(wide(1_001)))).toBe('invalid-request');
    }
  });
});
