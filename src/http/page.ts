import { Transform } from 'class-transformer';
import { RequestField } from '../openapi/field.decorator.js';
import { invalid } from './validation.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** `?limit=&cursor=` of every list. */
export class ListQuery {
  @RequestField({
    type: 'integer',
    minimum: 1,
    maximum: MAX_LIMIT,
    default: DEFAULT_LIMIT,
    required: false,
    description: 'How many entries a page has.',
  })
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value))
  limit: number = DEFAULT_LIMIT;

  @RequestField({ type: 'string', maxLength: 500, given: true, required: false, description: '`nextCursor` of the page before.' })
  cursor?: string;

  /**
   * What the cursor points after, or null on the first page.
   * @throws Problem `invalid-request` when `read` makes nothing of it
   */
  position(read: (text: string) => string | null): string | null {
    if (this.cursor === undefined) return null;
    const text = Buffer.from(this.cursor, 'base64url').toString();
    const position = Buffer.from(text).toString('base64url') === this.cursor ? read(text) : null;
    if (position === null || position === '' || position.includes('\0'))
      throw invalid([{ pointer: '/cursor', detail: 'is not a cursor of this list' }]);
    return position;
  }
}

/** One page of a list, newest first. */
export interface Page<View> {
  data: View[];
  /** What to send as `cursor` for the next page; null on the last one. */
  nextCursor: string | null;
}

/** Cuts rows, read one more than the page has, into a page. Keyset, not offset: a page is as cheap and stable as the first. */
export function pageOf<Row, View>(rows: Row[], limit: number, positionOf: (row: Row) => string, view: (row: Row) => View): Page<View> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(view),
    nextCursor: rows.length > limit && last !== undefined ? Buffer.from(positionOf(last)).toString('base64url') : null,
  };
}
