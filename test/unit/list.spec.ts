import * as fc from 'fast-check';
import { ListQuery, pageOf } from '../../src/http/page.js';

const any = (text: string): string => text;

function queryOf(cursor: string | null | undefined): ListQuery {
  return Object.assign(new ListQuery(), cursor == null ? {} : { cursor });
}

function codeOf(read: () => unknown): string {
  try {
    read();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('cursors', () => {
  it('lead through every list in pages of any size, each entry once and in order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.string({ unit: 'grapheme', minLength: 1 }).filter((id) => !id.includes('\0')),
          { maxLength: 20 },
        ),
        fc.integer({ min: 1, max: 7 }),
        (ids, limit) => {
          const seen: string[] = [];
          let cursor: string | null | undefined;
          do {
            const after = queryOf(cursor).position(any);
            const start = after === null ? 0 : ids.indexOf(after) + 1;
            const page = pageOf(ids.slice(start, start + limit + 1), limit, any, any);
            expect(page.data.length).toBeLessThanOrEqual(limit);
            seen.push(...page.data);
            cursor = page.nextCursor;
          } while (cursor !== null);
          expect(seen).toEqual(ids);
        },
      ),
    );
  });

  it('are made of characters that need no escape in an address, and the last page has none', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (id) => expect(pageOf([id, id], 1, any, any).nextCursor).toMatch(/^[A-Za-z0-9_-]+$/)),
    );
    expect(pageOf([1, 2], 2, String, String)).toEqual({ data: ['1', '2'], nextCursor: null });
    expect(pageOf([], 2, any, any)).toEqual({ data: [], nextCursor: null });
  });

  it('are read in one spelling alone', () => {
    const cursor = Buffer.from('ord_1').toString('base64url');
    expect(queryOf(cursor).position(any)).toBe('ord_1');
    for (const other of [`${cursor}=`, `${cursor} `, `${cursor}\n`, `+${cursor}`, cursor.slice(0, -1)]) {
      expect([codeOf(() => queryOf(other).position(any)), queryOrNull(other)]).not.toEqual(['none', 'ord_1']);
    }
  });

  it('that nobody gave out are invalid, never a failure', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (cursor) => {
        expect(codeOf(() => queryOf(cursor).position(() => null))).toBe('invalid-request');
        expect(['none', 'invalid-request']).toContain(codeOf(() => queryOf(cursor).position(any)));
      }),
    );
    expect(codeOf(() => queryOf('').position(any))).toBe('invalid-request');
    expect(codeOf(() => queryOf(Buffer.from('a\0b').toString('base64url')).position(any))).toBe('invalid-request');
  });

  it('are not needed for the first page', () => {
    expect(queryOf(undefined).position(any)).toBeNull();
  });
});

function queryOrNull(cursor: string): string | null {
  try {
    return queryOf(cursor).position(any);
  } catch {
    return null;
  }
}
