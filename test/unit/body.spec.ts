import * as fc from 'fast-check';
import { parseBody } from '../../src/http/body.js';

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
    parseBody(body);
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a body', () => {
  it('that is a JSON object comes through as it was sent', () => {
    fc.assert(fc.property(object, (body) => expect(JSON.stringify(parseBody(bytes(body)))).toBe(JSON.stringify(body))));
  });

  it('that is empty is an empty object', () => {
    expect(parseBody(Buffer.alloc(0))).toEqual({});
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
});
