import * as fc from 'fast-check';
import { checkIfMatch, etagOf, isUnchanged, requireIfMatch } from '../../src/http/etag.js';

const version = fc.integer({ min: 1, max: 2 ** 31 - 1 });

function codeOf(check: () => unknown): string {
  try {
    check();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** RFC 9110, sections 8.8.3.2 and 13.1. */
describe('entity tags', () => {
  it('are the quoted version', () => {
    fc.assert(fc.property(version, (number) => expect(etagOf(number)).toBe(`"${number}"`)));
  });

  it('If-Match holds for the present version, alone or in a list, and for no other', () => {
    fc.assert(
      fc.property(version, fc.array(version, { maxLength: 4 }), (present, others) => {
        const header = others.map(etagOf).join(', ');
        expect(codeOf(() => checkIfMatch(header, present))).toBe(others.includes(present) ? 'none' : 'precondition-failed');
        expect(codeOf(() => checkIfMatch([...others, present].map(etagOf).join(' ,'), present))).toBe('none');
      }),
    );
  });

  it('If-Match compares strongly: a weak tag never matches', () => {
    fc.assert(
      fc.property(version, (present) => expect(codeOf(() => checkIfMatch(`W/${etagOf(present)}`, present))).toBe('precondition-failed')),
    );
  });

  it('If-None-Match compares weakly', () => {
    fc.assert(
      fc.property(version, version, (present, other) => {
        expect(isUnchanged(`W/${etagOf(other)}`, present)).toBe(present === other);
        expect(isUnchanged(etagOf(other), present)).toBe(present === other);
        expect(isUnchanged(`${etagOf(other)}, W/${etagOf(present)}`, present)).toBe(true);
      }),
    );
  });

  it('the star matches any version', () => {
    expect(codeOf(() => checkIfMatch('*', 7))).toBe('none');
    expect(isUnchanged('*', 7)).toBe(true);
  });

  it.each(['7', "'7'", '"7', '7"', '"07"', '" 7"', '"7" "7"', ''])('%s is not the tag of version 7', (header) => {
    expect(codeOf(() => checkIfMatch(header, 7))).toBe('precondition-failed');
    expect(isUnchanged(header, 7)).toBe(false);
  });

  it('a change without If-Match is refused before all else', () => {
    for (const header of [undefined, '']) expect(codeOf(() => requireIfMatch(header))).toBe('precondition-required');
    expect(requireIfMatch('"1"')).toBe('"1"');
    expect(isUnchanged(undefined, 1)).toBe(false);
  });
});
