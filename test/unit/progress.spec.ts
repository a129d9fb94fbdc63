import { Progress } from '../../src/kernel/progress.js';

const before = process.env['CI'];
beforeEach(() => {
  delete process.env['CI'];
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
  if (before === undefined) delete process.env['CI'];
  else process.env['CI'] = before;
});

/** Where a command writes; `shown` is what it has written. */
function output(isTTY: boolean): { isTTY: boolean; write(text: string): void; shown: string } {
  return {
    isTTY,
    shown: '',
    write(text) {
      this.shown += text;
    },
  };
}

const seconds = (count: number): void => jest.advanceTimersByTime(count * 1_000);

it('says nothing of what is over within two seconds', () => {
  const pipe = output(false);
  const progress = new Progress(undefined, pipe);
  progress.step('one');
  progress.count(1, 2, 'things');
  seconds(1);
  progress.step('two');
  progress.end();
  seconds(60);
  expect(pipe.shown).toBe('');
});

it('says what is done now once two seconds have passed, and each further step', () => {
  const pipe = output(false);
  const progress = new Progress(3, pipe);
  progress.step('one');
  progress.step('two');
  seconds(2);
  seconds(3);
  progress.step('three');
  progress.end();
  expect(pipe.shown).toBe('   2 s  2/3  two\n   5 s  3/3  three\n');
});

it('without a terminal a count is a line every half minute', () => {
  const pipe = output(false);
  const progress = new Progress(undefined, pipe);
  progress.step('many');
  seconds(2);
  for (let done = 0; done < 90; done += 1) {
    progress.count(done, 90, 'things');
    seconds(1);
  }
  progress.end();
  expect(pipe.shown).toBe('   2 s  many\n        30 of 90 things\n        60 of 90 things\n');
});

it('in a terminal a count moves on a line that goes again', () => {
  const terminal = output(true);
  const progress = new Progress(undefined, terminal);
  progress.step('many');
  seconds(2);
  progress.count(1, 2, 'things');
  progress.count(2, 2, 'things');
  progress.end();
  expect(terminal.shown).toBe('   2 s  many\n\r\u001B[K        1 of 2 things\r\u001B[K        2 of 2 things\r\u001B[K');
});

it.each(['true', '1'])('says nothing to a build server (CI=%s)', (value) => {
  process.env['CI'] = value;
  const terminal = output(true);
  const progress = new Progress(undefined, terminal);
  progress.step('many');
  seconds(5);
  progress.count(1, 2, 'things');
  progress.step('more');
  progress.end();
  expect(terminal.shown).toBe('');
});
