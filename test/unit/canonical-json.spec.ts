import canonicalize from 'canonicalize';
import * as fc from 'fast-check';
import { canonicalJson } from '../../src/idempotency/requests/canonical-json.js';

/** Any JSON value, with names and texts of all planes, and -0. */
const json = fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' });
const named = fc.dictionary(fc.string({ unit: 'binary' }), json);

describe('canonical JSON', () => {
  it('is byte for byte what the package canonicalize makes of a value', () => {
    fc.assert(
      fc.property(fc.oneof(json, named), (value) => expect(canonicalJson(value)).toBe(canonicalize(value))),
      { numRuns: 2_000 },
    );
  });

  it('and of what no JSON text says: members left out, dates, nothing', () => {
    for (const value of [undefined, { a: undefined, b: 1 }, [undefined, 1], { at: new Date(0) }, { toJSON: 'a text' }, -0])
      expect(canonicalJson(value)).toBe(canonicalize(value));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, '\ud800', 'a\udc00b'])('refuses %j, in a value and in a name', (value) => {
    for (const body of [value, [value], { a: value }]) {
      expect(() => canonicalize(body)).toThrow('not allowed');
      expect(() => canonicalJson(body)).toThrow('not allowed in canonical JSON');
    }
    if (typeof value === 'string') expect(() => canonicalJson({ [value]: 1 })).toThrow('a lone surrogate');
  });
});
