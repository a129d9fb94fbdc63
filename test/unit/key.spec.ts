import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid';
import { keyOf, lockNumber, parseKey } from '../../src/idempotency/requests/key.js';
import { timeOfKey } from '../../src/idempotency/requests/late-requests.js';

const visible = (length: { minLength: number; maxLength: number }) =>
  fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), ...length });
/** Keys in their bare form, which can't begin with a quote. */
const bareKey = visible({ minLength: 1, maxLength: 255 }).filter((key) => !key.startsWith('"'));
const quoted = (key: string): string => `"${key.replace(/["\\]/g, '\\$&')}"`;
const codeOf = (read: () => unknown): string => {
  try {
    read();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('the syntax of a key', () => {
  it('a bare key is itself', () => {
    fc.assert(fc.property(bareKey, (key) => expect(parseKey(key)).toBe(key)));
  });

  it('the quoted form is the same key, with quote and backslash escaped', () => {
    fc.assert(fc.property(visible({ minLength: 1, maxLength: 255 }), (key) => expect(parseKey(quoted(key))).toBe(key)));
  });

  it('different keys stay different in both forms', () => {
    fc.assert(fc.property(bareKey, bareKey, (one, other) => expect(parseKey(quoted(one)) === parseKey(other)).toBe(one === other)));
  });

  it('no text outside the visible ASCII characters is a key', () => {
    const anything = fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }).filter((text) => !/^[\x21-\x7e]*$/.test(text));
    fc.assert(fc.property(anything, (text) => expect(codeOf(() => parseKey(text))).toBe('idempotency-key-invalid')));
    fc.assert(fc.property(anything, (text) => expect(codeOf(() => parseKey(quoted(text)))).toBe('idempotency-key-invalid')));
  });

  it('whatever is sent, it is a key of 1 to 255 visible characters or invalid', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', '\\', 'a', ' ', ',', ';'), maxLength: 12 }), (text) => {
        const code = codeOf(() => parseKey(text));
        expect(['none', 'idempotency-key-invalid']).toContain(code);
        expect(code !== 'none' || /^[\x21-\x7e]{1,255}$/.test(parseKey(text))).toBe(true);
      }),
    );
  });

  it.each([255, 1])('%i characters fit, bare and quoted', (length) => {
    const key = 'k'.repeat(length);
    expect([parseKey(key), parseKey(quoted(key))]).toEqual([key, key]);
  });

  it('255 characters fit also when each of them is escaped', () => {
    expect(parseKey(quoted('\\'.repeat(255)))).toBe('\\'.repeat(255));
    expect(codeOf(() => parseKey(quoted('\\'.repeat(256))))).toBe('idempotency-key-invalid');
  });

  it.each([
    ['nothing', ''],
    ['256 characters', 'k'.repeat(256)],
    ['256 characters in quotes', `"${'k'.repeat(256)}"`],
    ['an empty string', '""'],
    ['a quote alone', '"'],
    ['an unterminated string', '"abc'],
    ['a string whose end is escaped', '"abc\\"'],
    ['a backslash before the end', '"abc\\'],
    ['an unknown escape', '"\\n"'],
    ['an escape of hex digits', '"\\x41"'],
    ['something behind the string', '"abc"d'],
    ['a parameter', '"abc";p'],
    ['a list', '"a", "b"'],
    ['a blank', 'a b'],
    ['a blank before', ' abc'],
    ['a line feed at the end', 'abc\n'],
    ['DEL', 'a\x7f'],
    ['a letter beyond ASCII', 'é'],
  ])('%s is invalid', (_name, text) => {
    expect(codeOf(() => parseKey(text))).toBe('idempotency-key-invalid');
  });
});

describe('reading the key of a request', () => {
  it('takes the header in any case, wherever it stands, and keeps what was received', () => {
    fc.assert(
      fc.property(bareKey, fc.mixedCase(fc.constant('idempotency-key')), fc.nat(3), (key, name, place) => {
        const others = ['Host', 'x', 'Idempotency-Keys', 'no', 'X-Idempotency-Key', 'no'];
        others.splice(place * 2, 0, name, quoted(key));
        expect(keyOf({}, undefined, others)).toEqual({ key, received: quoted(key), isOwn: false });
      }),
    );
  });

  it('takes no value for a name', () => {
    expect(codeOf(() => keyOf({}, undefined, ['x', 'Idempotency-Key', 'y', 'abc']))).toBe('idempotency-key-missing');
  });

  it.each<[string, string[], string]>([
    ['none', ['host', 'x'], 'idempotency-key-missing'],
    ['no headers', [], 'idempotency-key-missing'],
    ['two different ones', ['idempotency-key', 'a', 'Idempotency-Key', 'b'], 'idempotency-key-invalid'],
    ['two equal ones', ['idempotency-key', 'a', 'idempotency-key', 'a'], 'idempotency-key-invalid'],
    ['an empty one', ['idempotency-key', ''], 'idempotency-key-invalid'],
    ['an empty one and another', ['idempotency-key', '', 'idempotency-key', 'a'], 'idempotency-key-invalid'],
  ])('%s: refused', (_name, headers, code) => {
    expect(codeOf(() => keyOf({}, undefined, headers))).toBe(code);
  });
});

describe('the number of the lock', () => {
  it('is the first 64 bits of SHA-256 over account and key, signed, as a decimal', () => {
    fc.assert(
      fc.property(fc.uuid(), bareKey, (account, key) => {
        const number = lockNumber(account, key);
        expect(number).toBe(createHash('sha256').update(`${account}\0${key}`).digest().readBigInt64BE().toString());
        expect(BigInt.asIntN(64, BigInt(number)).toString()).toBe(number);
      }),
    );
  });

  it('differs for accounts and for keys, which never run into one another', () => {
    expect(
      new Set([lockNumber('a', 'b'), lockNumber('ab', ''), lockNumber('', 'ab'), lockNumber('a', 'c'), lockNumber('b', 'b')]).size,
    ).toBe(5);
  });
});

describe('the time of a key', () => {
  it('is the one that a UUIDv7 carries', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (msecs) => expect(timeOfKey(uuidv7({ msecs }))).toBe(msecs)));
  });

  it('is unknown for every other key', () => {
    const v7 = uuidv7();
    for (const key of [uuidv4(), v7.toUpperCase(), `{${v7}}`, `urn:uuid:${v7}`, v7.replaceAll('-', ''), `${v7} `, `x${v7}`, 'abc', '']) {
      expect(timeOfKey(key)).toBeNull();
    }
    fc.assert(fc.property(fc.uuid({ version: [1, 2, 3, 4, 5, 6, 8] }), (key) => expect(timeOfKey(key)).toBeNull()));
  });
});
