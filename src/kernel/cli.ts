import { databaseSentence, type DatabasePlace } from './trouble.js';

/** Exit codes of sysexits.h: the command line was wrong. */
const EX_USAGE = 64;

/** The command line is wrong. Its message is printed above the usage text, so it never repeats a value: that may be a secret. */
export class UsageError extends Error {}

/** What was asked cannot be done; the message says why in one sentence, and what to do. */
export class CommandFailure extends Error {}

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

/** The same with what stands on the command line; where that asks for help, `usage` is all that is printed. */
export function runWithArguments(usage: string, work: (args: string[]) => Promise<void>): Promise<void> {
  return runCommand(usage, async () => {
    const args = process.argv.slice(2);
    if (args.includes('--help') || args[0] === 'help') process.stdout.write(usage);
    else await work(args);
  });
}

/** Does work in a database: what is in the way of it becomes a CommandFailure that names the variable. */
export async function inDatabase<T>(place: DatabasePlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const sentence = error instanceof CommandFailure ? null : databaseSentence(error, place);
    throw sentence === null ? error : new CommandFailure(sentence, { cause: error });
  }
}

/** What is printed of an error: a sentence without a stack. `place`: the database that it may come from. */
export function sentenceFor(error: unknown, place: DatabasePlace = { variable: 'DATABASE_URL' }): string {
  if (error instanceof CommandFailure) return error.message;
  const sentence = databaseSentence(error, place);
  return sentence ?? (error instanceof Error && error.message ? error.message : String(error));
}
