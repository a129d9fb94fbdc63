/** Exit codes of sysexits.h: the command line was wrong. */
const EX_USAGE = 64;

/** The command line is wrong. Its message is printed above the usage text, so it never repeats a value: that may be a secret. */
export class UsageError extends Error {}

/** The command can't do what was asked; the message says why in one sentence. */
export class CommandFailure extends Error {}

/** What may be in the way of a database, by the code of node's or PostgreSQL's error. */
const DATABASE_TROUBLE: Record<string, string> = {
  ECONNREFUSED: 'nothing listens at its address',
  ECONNRESET: 'it closed the connection',
  ENOTFOUND: 'its host name is unknown',
  EAI_AGAIN: 'its host name cannot be looked up at the moment',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its network',
  '28P01': 'the password is wrong',
  '28000': 'this user may not log in',
  '3D000': 'the server has no database of that name',
  '42501': 'this user lacks a privilege',
  '42P01': 'it has no tables yet: `npm run migrate` makes them',
  '53300': 'it has no connection left',
  '57P03': 'it is starting up or shutting down',
};

/** Runs a command and sets the exit code: 0, 64 with `usage` for a wrong command line, 1 with a sentence for all else. */
export async function runCommand(usage: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    // Not exit(): what was printed may still be on its way through a pipe.
    process.exitCode = error instanceof UsageError ? EX_USAGE : 1;
    process.stderr.write(error instanceof UsageError ? `${error.message}\n\n${usage}` : `${sentenceFor(error)}\n`);
  }
}

function sentenceFor(error: unknown): string {
  if (error instanceof CommandFailure) return error.message;
  const trouble = DATABASE_TROUBLE[codeOf(error) ?? ''] ?? (isTimeout(error) ? DATABASE_TROUBLE['ETIMEDOUT'] : undefined);
  if (trouble) return `The database cannot be used: ${trouble}.`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** pg's own time limit for connecting raises an error without a code. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && /timeout/.test(error.message) && codeOf(error) === undefined;
}
