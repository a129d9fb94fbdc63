/** A request of this process that has its key in hand. */
export interface Runner {
  /** What the key stands for if the runner wins it, and once it has; undefined when it is in other hands. */
  fingerprint: string | undefined;
  /** Whether it is known whether the key is won, or busy elsewhere. */
  isJudged: boolean;
  /** Resolves as soon as it is known whether the key is won, or busy elsewhere. */
  readonly judged: Promise<void>;
  /** Resolves when the runner is done, with or without an answer. Never rejects. */
  readonly done: Promise<void>;
  judge(fingerprint: string | undefined): void;
  finish(): void;
}

/** At most one request per key and process goes to the database; the others learn here that it runs. */
export class RunningKeys {
  private readonly runners = new Map<string, Runner>();

  find(scope: string): Runner | undefined {
    return this.runners.get(scope);
  }

  /** Takes the scope, which must be free, until `finish`. */
  take(scope: string, fingerprint: string): Runner {
    const judged = deferred();
    const done = deferred();
    const runner: Runner = {
      fingerprint,
      isJudged: false,
      judged: judged.promise,
      done: done.promise,
      judge: (known) => {
        runner.fingerprint = known;
        runner.isJudged = true;
        judged.resolve();
      },
      finish: () => {
        this.runners.delete(scope);
        judged.resolve();
        done.resolve();
      },
    };
    this.runners.set(scope, runner);
    return runner;
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
