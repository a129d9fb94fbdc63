import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { fingerprint, type FingerprintInput } from '../../src/idempotency/requests/fingerprint.js';

const REQUEST: FingerprintInput = { method: 'POST', url: '/v1/orders', ifMatch: undefined, body: { a: 1 } };
const of = (change: Partial<FingerprintInput>): string => fingerprint({ ...REQUEST, ...change });
const ofBody = (body: unknown): string => of({ body });
/** What the fingerprint must be when the canonical form of the body is this text. */
const ofCanonical = (text: string): string => createHash('sha256').update(`POST\n/v1/orders\n\n${text}`).digest('hex');

/** JSON objects, with names that sort in ways worth testing. */
const json = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 });

/** The same value with the members of every object in another order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, reversed(member)]),
  );
}

/** A parsed body: what JSON can't say (-0) is gone. */
const parsed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('the fingerprint of a body', () => {
  it('is 32 bytes in hexadecimal digits, the same each time', () => {
    expect(fingerprint(REQUEST)).toMatch(/^[0-9a-f]{64}$/);
    expect(of({})).toBe(of({}));
  });

  it('does not depend on the order of members', () => {
    fc.assert(fc.property(json, (body) => expect(ofBody(reversed(body))).toBe(ofBody(body))));
  });

  it('does not depend on white space or on how characters are escaped', () => {
    fc.assert(
      fc.property(json, (body) => {
        const escaped = JSON.stringify(body).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
        for (const text of [JSON.stringify(body, null, 7), escaped]) expect(ofBody(JSON.parse(text))).toBe(ofBody(parsed(body)));
      }),
    );
  });

  it('depends on every value', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const same = JSON.stringify(sorted(parsed(one))) === JSON.stringify(sorted(parsed(other)));
        expect(ofBody(parsed(one)) === ofBody(parsed(other))).toBe(same);
      }),
    );
  });

  it('changes when one member is added, removed or replaced', () => {
    fc.assert(
      fc.property(json, fc.string(), fc.jsonValue(), (body, name, value) => {
        fc.pre(!Object.hasOwn(body, name) && name !== '__proto__');
        expect(ofBody({ ...body, [name]: value })).not.toBe(ofBody(body));
        expect(ofBody({ ...body, [name]: [value] })).not.toBe(ofBody({ ...body, [name]: value }));
      }),
    );
  });

  it.each<[string, unknown, unknown]>([
    ['null and nothing', { a: null }, {}],
    ['a number and its text', { a: 1 }, { a: '1' }],
    ['true and its text', { a: true }, { a: 'true' }],
    ['an array and an object', { a: [] }, { a: {} }],
    ['the order of an array', { a: [1, 2] }, { a: [2, 1] }],
    ['nesting', { a: { b: 1 } }, { 'a.b': 1 }],
    ['composed and decomposed letters', { a: '\u00f6' }, { a: 'o\u0308' }],
    ['upper and lower case', { a: 'x' }, { a: 'X' }],
    ['white space in a text', { a: 'x' }, { a: 'x ' }],
  ])('tells apart %s', (_name, one, other) => {
    expect(ofBody(one)).not.toBe(ofBody(other));
  });

  it.each([
    [{ a: 1.0 }, '{"a": 1}'],
    [{ a: 100 }, '{"a": 1e2}'],
    [{ a: 0.001 }, '{"a": 1E-3}'],
  ])('takes %j for the same however the number is written', (body, text) => {
    expect(ofBody(JSON.parse(text))).toBe(ofBody(body));
  });
});

/** RFC 8785, section 3.2.2, 3.2.3 and appendix B. */
describe('the canonical form is that of RFC 8785', () => {
  it('for literals, numbers and strings', () => {
    const sent = String.raw`{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }`;
    const canonical = String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`;
    expect(ofBody(JSON.parse(sent))).toBe(ofCanonical(canonical));
  });

  it('for the order of names, by UTF-16 code units', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const inOrder = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'];
    const canonical = `{${inOrder.map((name) => `${JSON.stringify(name)}:0`).join(',')}}`;
    expect(ofBody(Object.fromEntries(names.map((name) => [name, 0])))).toBe(ofCanonical(canonical));
  });

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('for the double %s: %s', (bits, text) => {
    expect(ofBody({ n: Buffer.from(bits, 'hex').readDoubleBE() })).toBe(ofCanonical(`{"n":${text}}`));
  });
});

describe('the fingerprint of a request', () => {
  it('depends on method, path, query and If-Match', () => {
    const variants = [
      of({}),
      of({ method: 'PATCH' }),
      of({ url: '/v1/order' }),
      of({ url: '/v1/orders/' }),
      of({ url: '/v1/orders?a=1' }),
      of({ url: '/v1/orders?a=2' }),
      of({ ifMatch: '"1"' }),
      of({ ifMatch: '"2"' }),
      of({ ifMatch: 'W/"1"' }),
    ];
    expect(new Set(variants).size).toBe(variants.length);
  });

  it('lets no part run into the next', () => {
    expect(of({ method: 'POST', url: '/a', ifMatch: 'b' })).not.toBe(of({ method: 'POST', url: '/ab', ifMatch: '' }));
    expect(of({ ifMatch: '{"a":1}', body: undefined })).not.toBe(of({ ifMatch: undefined, body: { a: 1 } }));
    const visible = fc.string({ unit: fc.constantFrom(...'ab?/="'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(visible, visible, visible, visible, (url, ifMatch, otherUrl, otherIfMatch) => {
        expect(of({ url, ifMatch }) === of({ url: otherUrl, ifMatch: otherIfMatch })).toBe(url === otherUrl && ifMatch === otherIfMatch);
      }),
    );
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  // Pairs, not an object: names like "1" would go to the front whatever their place.
  return [
    'object',
    ...Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  ];
}
