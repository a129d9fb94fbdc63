/**
 * What may be in the way of a database and what to do, by the code of node's or PostgreSQL's error (PostgreSQL manual,
 * appendix A). The one table for commands and for the start of the API.
 */
const DATABASE_TROUBLE: Record<string, string> = {
  ECONNREFUSED: 'nothing listens at its address',
  ECONNRESET: 'it closed the connection',
  ENOENT: 'there is no socket in its directory',
  EACCES: 'this account may not open its socket',
  ENOTFOUND: 'its host name is unknown',
  EAI_AGAIN: 'its host name cannot be looked up at the moment',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its network',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted: name its authority with sslrootcert=',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted: name its authority with sslrootcert=',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted: name its authority with sslrootcert=',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not trusted: name its authority with sslrootcert=',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  '08P01': 'the server, or a pooler in front of it, refuses what the URL asks for',
  '22023': 'a setting in its options has a value that the server refuses',
  '42704': 'it names something that the server does not know',
  '28P01': 'the password is wrong',
  '28000': 'this user may not log in',
  '3D000': 'the server has no database of that name',
  '3F000': 'the search_path names no schema that exists: create one, or set it for the role or in the options',
  '42501': 'this user lacks a privilege: `npm run migrate` grants what the API needs, and DATABASE_OWNER_URL names the owner',
  '42P01': 'it has no tables yet: `npm run migrate` makes them',
  '42P07': 'its schema holds the tables of something else: give this service a schema or a database of its own',
  '25006': 'it is read-only: a standby, or default_transaction_read_only is on',
  '53300': 'it has no connection left',
  '57P03': 'it is starting up or shutting down',
};

/** The messages of node-postgres' own errors, which have no code. */
const CLIENT_TROUBLE: [message: RegExp, trouble: string][] = [
  [/timeout/, 'it does not answer'],
  [/does not support SSL/, 'it has no TLS: say sslmode=disable, or turn it on there'],
  [/client password must be a (non-empty )?string/, 'it asks for a password, and there is none'],
  [/^Connection terminated/, 'it closed the connection'],
];

/** Which database, as its user knows it. */
export interface DatabasePlace {
  /** The variable that holds its URL. */
  variable: string;
  /** True: the variable is not set, and it is the database that `npm run start:db` starts. */
  embedded?: boolean;
}

/**
 * A sentence on an error of a database, or null when it is none that is known. It holds no secret: of an error that the server
 * sent its message, which names the object, and of one of node the address.
 */
export function databaseSentence(error: unknown, { variable, embedded = false }: DatabasePlace): string | null {
  const code = codeOf(error);
  if (embedded && code === 'ECONNREFUSED') return 'The embedded PostgreSQL does not answer: `npm run start:db` starts it.';
  const trouble = DATABASE_TROUBLE[code ?? ''] ?? (code === undefined ? troubleOfClient(error) : undefined);
  return trouble === undefined ? null : `The database of ${variable} cannot be used: ${trouble}${detailOf(error)}.`;
}

/** The error's `code`, where it has one that is text. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function troubleOfClient(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return CLIENT_TROUBLE.find(([message]) => message.test(error.message))?.[1];
}

function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // A host with several addresses fails with one error for each.
  const [first = error] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  if (typeof first === 'object' && first !== null && 'address' in first) {
    return ` (${String(first.address)}${'port' in first ? `:${String(first.port)}` : ''})`;
  }
  if ('hostname' in error) return ` (${String(error.hostname)})`;
  return 'severity' in error ? ` (${error.message})` : '';
}
