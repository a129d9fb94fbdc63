import { escapeLiteral } from 'pg';
import { enterBy } from '../idempotency/index.js';
import {
  LessThan,
  type FindManyOptions,
  type FindOneOptions,
  type ObjectLiteral,
  type FindOptionsOrder,
  type FindOptionsWhere,
  type Repository,
} from 'typeorm';
import { publicId, uuidOf, type IdPrefix } from '../kernel/ids.js';
import { pageOf, type ListQuery, type Page } from './page.js';

/** What belongs to one account. */
interface Owned {
  accountId: string;
  id: string;
}

/**
 * Reads by a repository, in a transaction that says whose it is: row-level security shows the rows of no other account, also
 * where a filter is forgotten. @throws the database's error
 */
export async function readAs<Row extends ObjectLiteral, T>(
  repository: Repository<Row>,
  accountId: string,
  read: (own: Repository<Row>) => Promise<T>,
): Promise<T> {
  const runner = repository.manager.connection.createQueryRunner();
  try {
    await runner.connect();
    // What is read leaves behind it and waits for no answer: were it not for the account, policies would show nothing.
    const entering = runner.query(`BEGIN READ ONLY; SELECT ${enterBy(escapeLiteral(accountId))}`);
    const [found] = await Promise.all([read(runner.manager.getRepository<Row>(repository.target)), entering]);
    return found;
  } finally {
    await runner.query('COMMIT').catch(() => undefined);
    await runner.release();
  }
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
  const where = { accountId, id: uuid } as FindOptionsWhere<Row>;
  return readAs(repository, accountId, (own) => own.findOne({ ...options, where }));
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
  where: Pick<Owned, 'accountId'> & Omit<FindOptionsWhere<Row>, 'accountId'>,
  view: (row: Row) => View,
): Promise<Page<View>> {
  const before = query.position((text) => (prefix ? uuidOf(prefix, text) : text));
  const filters = Object.entries(where).filter(([, value]) => value !== undefined);
  const wanted: FindManyOptions<Row> = {
    where: { ...Object.fromEntries(filters), ...(before !== null && { id: LessThan(before) }) } as FindOptionsWhere<Row>,
    order: { id: 'DESC' } as FindOptionsOrder<Row>,
    take: query.limit + 1,
  };
  const rows = await readAs(repository, where.accountId, (own) => own.find(wanted));
  return pageOf(rows, query.limit, ({ id }) => (prefix ? publicId(prefix, id) : id), view);
}
