import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** One life of a piece. */
export interface Run {
  /** Settles when the piece is gone, with a sentence that says how it ended. */
  exited: Promise<string>;
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface Piece<R extends Run> {
  /** What a person calls it. */
  name: string;
  /** Starts it and resolves when it is ready. When `signal` aborts before that, ends it again and rejects. */
  start(signal: AbortSignal): Promise<R>;
}

export interface Supervised<R extends Run> {
  /** Its first life. Rejects with what `start` threw: what fails at once would fail again. */
  ready: Promise<R>;
  /** Settles, with a sentence, when it has died too often in a row to be started once more. */
  gaveUp: Promise<string>;
  /** Ends it for good, in whatever state it is; resolves when it is gone. */
  stop(): Promise<void>;
}

/** A life shorter than this counts towards giving up. */
const quick = 10_000;
const mostQuickDeaths = 5;

/** Keeps a piece running: after `pause` milliseconds it is started again, until five lives in a row were short. */
export function supervise<R extends Run>(piece: Piece<R>, say: (sentence: string) => void, pause = 1_000): Supervised<R> {
  const end = new AbortController();
  const ended = once(end.signal, 'abort');
  let abandon: (sentence: string) => void;
  const gaveUp = new Promise<string>((resolve) => (abandon = resolve));

  async function live(run: R): Promise<string> {
    const how = await Promise.race([run.exited, ended.then(() => undefined)]);
    if (how !== undefined) return how;
    await run.stop();
    return '';
  }

  async function keep(first: R): Promise<void> {
    let how = await live(first);
    for (let quickDeaths = 0; !end.signal.aborted;) {
      say(`${piece.name} ended unexpectedly and is started again: ${how}`);
      await sleep(pause, undefined, { signal: end.signal }).catch(() => undefined);
      const since = Date.now();
      how = await piece.start(end.signal).then(live, (error: Error) => error.message);
      quickDeaths = Date.now() - since < quick ? quickDeaths + 1 : 0;
      if (quickDeaths === mostQuickDeaths) return abandon(`${piece.name} ended ${mostQuickDeaths} times in a row: ${how}`);
    }
  }

  const ready = piece.start(end.signal);
  const done = ready.then(keep, () => undefined);
  const stop = async () => {
    end.abort();
    await done;
  };
  return { ready, gaveUp, stop };
}
