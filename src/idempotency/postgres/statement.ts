import pg from 'pg';
import { controlsTransaction } from './transaction-control.js';

/** SQL with a name, so that it is prepared once per connection. A name belongs to one text for good. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** The text with the same parameters where tables lie on several servers, by account, if it has to be another one there. */
  readonly spread?: string;
}

/** A statement with its values, each a text, bytes or null, as the protocol takes them; without a name it is prepared anew each time. */
export interface Call {
  readonly name?: string | undefined;
  readonly text: string;
  readonly spread?: string | undefined;
  readonly values?: unknown[];
}

/** What a statement gave. */
export interface Result<Row = Record<string, unknown>> {
  rows: Row[];
  /** `INSERT`, `COMMIT` and so on: the command's tag, without its counts. */
  command: string;
}

/** What this process knows of each statement name: a second text would only be noticed by the connections that know the first. */
const known = new Map<string, { text: string; controls: boolean }>();

const { utils } = pg as unknown as { utils: { prepareValue(value: unknown): unknown } };

/**
 * A call that can fail at the server alone.
 * @throws Error for a value that can't be written, and for a name that belongs to another text
 */
export function toCall({ name, text, spread, values: own = [] }: Call, values: readonly unknown[] = own): Call {
  if (name !== undefined) {
    const registered = known.get(name);
    if (!registered) known.set(name, { text, controls: controlsTransaction(text) });
    else if (registered.text !== text) throw new Error(`the statement name ${name} belongs to another text`);
  }
  return { name, text, spread, values: values.map(asWritten) };
}

/**
 * The same for a call of a handler, which may not begin or end transactions.
 * @throws Error as `toCall` does, and for a statement that would
 */
export function toHandlerCall(call: Call, values?: readonly unknown[]): Call {
  const made = toCall(call, values);
  const controls = call.name === undefined ? controlsTransaction(call.text) : known.get(call.name)?.controls;
  if (controls) throw new TransactionControlRefused(call.text);
  return made;
}

/** A handler wanted to begin or end a transaction by SQL; nothing was sent. */
export class TransactionControlRefused extends Error {
  constructor(text: string) {
    super(`The transaction is the engine's to end, savepoints are yours: refused ${JSON.stringify(text.trim().slice(0, 60))}`);
  }
}

function asWritten(value: unknown): unknown {
  // Most values by far are texts; node-postgres looks at everything else first.
  return typeof value === 'string' ? value : utils.prepareValue(value);
}
