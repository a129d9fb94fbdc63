import type { DatabaseError } from 'pg';

const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * The server's own error inside whatever wraps it (TypeORM wraps it as `driverError`). Told by what it says, not by its class:
 * an application may have a second copy of node-postgres.
 */
export function databaseError(error: unknown): DatabaseError | null {
  if (!(error instanceof Error)) return null;
  const inner = 'driverError' in error ? error.driverError : error;
  return isFromServer(inner) ? inner : null;
}

/** Errors of sockets have a code as well (EPIPE), but no severity, which the server always tells. */
function isFromServer(error: unknown): error is DatabaseError {
  return error instanceof Error && 'severity' in error && 'code' in error && SQLSTATE.test(String(error.code));
}

/** What Citus adds to the names of a table's constraints for each of its shards. */
const OF_A_SHARD = /_\d{6,}$/;

/**
 * Whether it says that the constraint of this name is violated. Of a distributed table the server names the shard's own, and where another
 * node has told it, in the message alone.
 */
export function violates(error: unknown, constraint: string): boolean {
  const { code, constraint: named, message } = databaseError(error) ?? {};
  if (!code?.startsWith('23')) return false;
  const names = named === undefined ? (message?.match(/\w+/g) ?? []) : [named];
  return names.some((name) => name === constraint || name.replace(OF_A_SHARD, '') === constraint);
}

/**
 * What the connection had prepared is gone (26000), is there although nobody here has prepared it (42P05), or no longer fits (0A000): a pooler
 * gave it another session, or a table has changed. Nothing ran, and the next try prepares anew.
 */
export function isPreparedAmiss(error: unknown): boolean {
  return ['26000', '42P05', '0A000'].includes(databaseError(error)?.code ?? '');
}

/** Serialization failure, deadlock, lock timeout, or a statement that is prepared amiss: the transaction was rolled back for sure and may simply run again. */
export function isRetryable(error: unknown): boolean {
  return isPreparedAmiss(error) || ['40001', '40P01', '55P03'].includes(databaseError(error)?.code ?? '');
}

/** Nothing was wrong with the request, and the next try may go through. 57014: a statement took longer than statement_timeout. */
export function isTransient(error: unknown): boolean {
  return isRetryable(error) || isConnectionLost(error) || databaseError(error)?.code === '57014';
}

/**
 * Errors by which the server itself ends a session or refuses one (PostgreSQL manual, appendix A, classes 08, 53, 57P), or
 * 25006: after a failover the connection leads to a server that doesn't write.
 */
const SESSION_LOST = /^(08...|53300|57P0[1-5]|25006|25P03|25P04)$/;
const SOCKET_LOST = /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;
/** node-postgres gives these no code. */
const CLIENT_LOST =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Client was closed|timeout expired|Cannot use a pool after|Query read timeout)/;

/** A server that was the primary once, and lacks what was committed on a later timeline. Nothing is asked of it. */
export class FormerPrimary extends Error {
  constructor(timeline: number, latest: number) {
    super(`the database is a former primary: it is on timeline ${timeline}, and this process has seen ${latest}`);
  }
}

/** A server that doesn't tell which one it is, though it could: it may be a former primary. */
export class ServerUnknown extends Error {
  constructor(cause: unknown) {
    super('it is not known which server the connection leads to', { cause });
  }
}

/** No synchronous standby answers, so no commit is confirmed and nothing is written. */
export class CommitsHang extends Error {
  constructor() {
    super('no synchronous standby answers, so no commit is confirmed');
  }
}

/** The connection broke, or none was to be had: nothing was wrong with the request. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof FormerPrimary || error instanceof ServerUnknown || error instanceof CommitsHang) return true;
  const fromServer = databaseError(error);
  if (fromServer) return SESSION_LOST.test(fromServer.code ?? '');
  if (!(error instanceof Error)) return false;
  const inner = 'driverError' in error && error.driverError instanceof Error ? error.driverError : error;
  const code = 'code' in inner ? String(inner.code) : '';
  return SOCKET_LOST.test(code) || CLIENT_LOST.test(inner.message);
}

/** The server refused to commit (a deferred constraint, a serialization failure) and lives on: it has rolled back. 40003: it doesn't know itself. */
export function isDefinite(error: unknown): boolean {
  const refusal = databaseError(error);
  return refusal !== null && !isConnectionLost(refusal) && refusal.code !== '40003';
}
