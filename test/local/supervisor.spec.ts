import { type Run, supervise } from '../../local/supervisor.js';

const shortLife = (): Run => ({ exited: Promise.resolve('gone.'), stop: () => Promise.resolve() });

describe('supervise', () => {
  it('starts a piece again until it has died five times in a row', async () => {
    const start = jest.fn(() => Promise.resolve(shortLife()));
    const said: string[] = [];
    const piece = supervise({ name: 'The piece', start }, (sentence) => said.push(sentence), 1);
    expect(await piece.gaveUp).toBe('The piece ended 5 times in a row: gone.');
    expect(start).toHaveBeenCalledTimes(6);
    expect(said).toHaveLength(5);
    await piece.stop();
  });

  it('does not start again what failed at first', async () => {
    const start = jest.fn(() => Promise.reject(new Error('wrong configuration')));
    const piece = supervise({ name: 'The piece', start }, () => undefined, 1);
    await expect(piece.ready).rejects.toThrow('wrong configuration');
    await piece.stop();
    expect(start).toHaveBeenCalledTimes(1);
  });

  it('ends what was asked to stop before it was ready', async () => {
    const stop = jest.fn(() => Promise.resolve());
    let isReady: (run: Run) => void = () => undefined;
    const piece = supervise({ name: 'The piece', start: () => new Promise<Run>((resolve) => (isReady = resolve)) }, () => undefined, 1);
    const stopped = piece.stop();
    isReady({ exited: new Promise(() => undefined), stop });
    await stopped;
    expect(stop).toHaveBeenCalledTimes(1);
  });
});
