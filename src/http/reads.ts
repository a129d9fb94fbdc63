import { LessThan, type FindOneOptions, type FindOptionsOrder, type FindOptionsWhere, type Repository } from 'typeorm';
import { publicId, uuidOf, type IdPrefix } from '../kernel/ids.js';
import { pageOf, type ListQuery, type Page } from './page.js';

/** What belongs to one account. */
interface Owned {
  accountId: string;
  id: string;
}

/** The account's row with this public id; null where there is none, or the text is no such id. `options`: what else to read of it. */
export async function findByPublicId<Row extends Owned>(
  repository: Repository<Row>,
  prefix: IdPrefix,
  { accountId, id }: Owned,
  options: Pick<FindOneOptions<Row>, 'relations' | 'order'> = {},
): Promise<Row | null> {
  const uuid = uuidOf(prefix, id);
  if (!uuid) return null;
  return repository.findOne({ ...options, where: { accountId, id: uuid } as FindOptionsWhere<Row> });
}

/**
 * One page of an account's rows, newest first. Members of `where` that are undefined filter nothing; `prefix` is that of
 * the public ids, null where the rows' own ids are public; `view`: what a row becomes.
 * @throws Problem `invalid-request` for a cursor of another list
 */
export async function pageBy<Row extends Owned, View>(
  repository: Repository<Row>,
  prefix: IdPrefix | null,
  query: ListQuery,
  where: Pick<Owned, 'accountId'> & Partial<Row>,
  view: (row: Row) => View,
): Promise<Page<View>> {
  const before = query.after((text) => (prefix ? uuidOf(prefix, text) : text));
  const filters = Object.entries(where).filter(([, value]) => value !== undefined);
  const rows = await repository.find({
    where: { ...Object.fromEntries(filters), ...(before !== null && { id: LessThan(before) }) } as FindOptionsWhere<Row>,
    order: { id: 'DESC' } as FindOptionsOrder<Row>,
    take: query.limit + 1,
  });
  return pageOf(rows, query.limit, ({ id }) => (prefix ? publicId(prefix, id) : id), view);
}
