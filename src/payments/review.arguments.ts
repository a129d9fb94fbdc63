import { parseArgs } from 'node:util';
import { UsageError } from '../kernel/cli.js';
import { operationUuid } from '../idempotency/index.js';
import { OUTCOMES, type DecidedOutcome } from './decision.entity.js';

/** What `npm run review` prints when it is asked, or asked wrongly. */
export const USAGE = `Usage: npm run review [-- <command>]

  list
      shows what is flagged for review in all accounts, also of operations that have ended; this is done without a command, too
  settle op_… --outcome happened|did-not-happen --note <text> [--provider-reference <id>]
      decides a flagged payment or refund of which the provider can't tell. A running API asks the provider once more, whose word
      goes before the decision, and settles the operation; its key answers 201 or 402 from then on. The note and the name of the
      operating system's user stand in the operation's timeline.
`;

const MAX_TEXT = 255;

/** One thing to do with what is flagged; `operation` is a uuid. */
export type ReviewCommand =
  { do: 'list' } | { do: 'settle'; operation: string; outcome: DecidedOutcome; note: string; providerReference: string | null };

/** Reads the command line whole, so that a wrong one changes nothing. @throws UsageError */
export function readArguments([command = 'list', ...args]: string[]): ReviewCommand {
  if (command === 'list' && args.length === 0) return { do: 'list' };
  if (command !== 'settle') throw new UsageError('The command must be list, which takes nothing more, or settle.');
  const { values, positionals } = parsed(args);
  const [operation, ...more] = positionals;
  const uuid = operation === undefined ? null : operationUuid(operation);
  if (uuid === null || more.length > 0) throw new UsageError('settle takes the id of one operation, op_ and 26 letters and digits.');
  const outcome = OUTCOMES.find((known) => known === values.outcome);
  if (!outcome) throw new UsageError(`--outcome must be ${OUTCOMES.join(' or ')}.`);
  const reference = values['provider-reference'];
  return {
    do: 'settle',
    operation: uuid,
    outcome,
    note: textOf('--note', values.note),
    providerReference: reference === undefined ? null : textOf('--provider-reference', reference),
  };
}

function parsed(args: string[]): { values: { outcome?: string; note?: string; 'provider-reference'?: string }; positionals: string[] } {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ args, options: { outcome: text, note: text, 'provider-reference': text }, allowPositionals: true });
  } catch {
    throw new UsageError('settle knows --outcome, --note and --provider-reference, each with a value, and nothing else.');
  }
}

function textOf(option: string, text = ''): string {
  // Control characters would let a note rewrite the terminal of whoever reads it.
  if (text.trim() === '' || text.length > MAX_TEXT || /\p{Cc}/u.test(text)) {
    throw new UsageError(`${option} must be 1 to ${MAX_TEXT} characters without control characters.`);
  }
  return text;
}
