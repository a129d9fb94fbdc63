import { styleText } from 'node:util';
import { holds, type Line } from './books.js';
import type { Answer, Wish } from './customer.js';

type Style = 'bold' | 'cyan' | 'green' | 'red' | 'yellow';

/** Colours where standard output is a terminal, and none where it is not or where `NO_COLOR` is set. Node 20 heeds that for one style at a time. */
const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Tells the demo on standard output. */
export class Narrator {
  private scenes = 0;

  title(text: string): void {
    print(paint('bold', text));
  }

  scene(what: string): void {
    this.scenes += 1;
    print(`\n${paint('bold', `${this.scenes}  ${what}`)}`);
  }

  /** Something that happens without a request. */
  note(text: string): void {
    print(`     ${text}`);
  }

  /** A request on its way. */
  goes({ path, key }: Wish, how: string): void {
    print(`   ${paint('cyan', '→')} POST ${path}, key ${key}: ${how}`);
  }

  /** An answer. */
  came({ status, headers, body }: Answer, what: string): void {
    const code = typeof body['code'] === 'string' ? ` ${body['code']}` : '';
    const replayed = headers.has('idempotent-replayed') ? ', Idempotent-Replayed: true' : '';
    print(`   ${paint(status < 400 ? 'green' : 'yellow', '←')} ${status}${code}${replayed}: ${what}`);
  }

  /** The reckoning; what does not hold is named with what was wanted. */
  reckoning(lines: Line[]): void {
    print(`\n${paint('bold', 'The books')}`);
    const width = Math.max(...lines.map(({ what }) => what.length));
    for (const line of lines) {
      const verdict = holds(line) ? paint('green', '✓') : paint('red', '✗');
      print(`   ${verdict} ${line.what.padEnd(width)}  ${line.found}${holds(line) ? '' : `, wanted: ${line.wanted}`}`);
    }
  }

  verdict(good: boolean, text: string): void {
    print(`\n${paint('bold', paint(good ? 'green' : 'red', text))}`);
  }
}
