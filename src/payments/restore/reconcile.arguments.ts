import { parseArgs } from 'node:util';
import { UsageError } from '../../kernel/cli.js';

/** What `npm run reconcile` prints when it is asked, or asked wrongly. */
export const USAGE = `Usage: npm run reconcile [-- <command>]

  status
      shows whether payments pass, and the charges at the provider that have no payment here; this is done without a command, too
  close --note <text>
      lets no payment and no refund pass: for a restore from a dump, which no server tells of
  adopt <charge>|--all --note <text>
      takes a charge for the payment of its order, as if it had never been lost; --all: each one whose order waits for just that
  refund <charge>|--all --note <text>
      gives a charge back, and goes on with refunds that were interrupted; --all: each one
  open --note <text>
      lets payments pass on the present server, once nothing is left to decide

Standard output has one line for each charge. The note and the name of the operating system's user are kept.
`;

const MAX_TEXT = 255;

/** One thing to do; `charge`: the provider's id, or null for all of them. */
export type ReconcileCommand =
  { do: 'status' } | { do: 'close' | 'open'; note: string } | { do: 'adopt' | 'refund'; charge: string | null; note: string };

/** Reads the command line whole, so that a wrong one changes nothing. @throws UsageError */
export function readArguments([command = 'status', ...args]: string[]): ReconcileCommand {
  if (command === 'status' && args.length === 0) return { do: 'status' };
  if (command !== 'close' && command !== 'open' && command !== 'adopt' && command !== 'refund') {
    throw new UsageError('The command must be status, which takes nothing more, close, adopt, refund or open.');
  }
  const { values, positionals } = parsed(args);
  const note = values.note ?? '';
  // Control characters would let a note rewrite the terminal of whoever reads it.
  if (note.trim() === '' || note.length > MAX_TEXT || /\p{Cc}/u.test(note)) {
    throw new UsageError(`--note must be 1 to ${MAX_TEXT} characters without control characters.`);
  }
  if (command === 'close' || command === 'open') {
    if (positionals.length > 0 || values.all) throw new UsageError(`${command} takes a note and nothing more.`);
    return { do: command, note };
  }
  const [charge, ...more] = positionals;
  if (more.length > 0 || (charge === undefined) !== (values.all === true)) {
    throw new UsageError(`${command} takes the provider's id of one charge, or --all.`);
  }
  return { do: command, charge: charge ?? null, note };
}

function parsed(args: string[]): { values: { note?: string; all?: boolean }; positionals: string[] } {
  try {
    return parseArgs({ args, options: { note: { type: 'string' }, all: { type: 'boolean' } }, allowPositionals: true });
  } catch {
    throw new UsageError('Known are --note with its text, and --all.');
  }
}
