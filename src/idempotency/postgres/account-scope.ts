import type { QueryResultRow } from 'pg';
import type { DataSource } from 'typeorm';
import { rowsOfLast } from './pipeline.js';
import { toCall, type Call } from './statement.js';
import { sendAlone } from './transaction-connection.js';

/** The setting by which policies of row-level security know whose transaction it is: the account's uuid; not set or '' outside of any. */
export const ACCOUNT_SETTING = 'holdfast.account';

/** Says whose the transaction is, as an expression; `account`: what holds it, as text. */
export const enterBy = (account: string): string => `set_config('${ACCOUNT_SETTING}', ${account}, true)`;

const ENTER = { name: 'idempotency-enter', text: `SELECT ${enterBy('$1')}` };

/**
 * Says whose what follows is, until the transaction ends; a pipeline without BEGIN is one. Leaves in the packet of what it is
 * for, since behind a pooler the next packet may go to another session.
 */
export function enter(accountId: string): Call {
  return { ...ENTER, values: [accountId] };
}

/** The rows of one statement for an account, in a transaction of its own. @throws the database's error, and what a pool says that has no connection */
export async function queryAs<R extends QueryResultRow>(dataSource: DataSource, accountId: string, call: Call): Promise<R[]> {
  return rowsOfLast<R>(await sendAlone(dataSource, [enter(accountId), toCall(call)]));
}
