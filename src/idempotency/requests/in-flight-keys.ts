/** The request of this process that has a key in hand. */
export interface Leader {
  readonly fingerprint: string;
  /** `claiming`: what the key stands for is not known yet. `won`: this request executes. `elsewhere`: it is in other hands. */
  readonly state: 'claiming' | 'won' | 'elsewhere';
  /** Resolves when the state is no longer `claiming`, or with `done`. */
  readonly known: Promise<void>;
  /** Resolves when the request is done with the key, with or without an answer. Never rejects. */
  readonly done: Promise<void>;
  learn(state: 'won' | 'elsewhere'): void;
  finish(): void;
}

/** At most one request per key and process goes to the database; the others learn here that it runs. */
export class InFlightKeys {
  private readonly leaders = new Map<string, Leader>();

  find(scope: string): Leader | undefined {
    return this.leaders.get(scope);
  }

  /** Takes the scope, which must be free, until `finish`. */
  take(scope: string, fingerprint: string): Leader {
    const known = deferred();
    const done = deferred();
    const leader: { -readonly [Member in keyof Leader]: Leader[Member] } = {
      fingerprint,
      state: 'claiming',
      known: known.promise,
      done: done.promise,
      learn: (state) => {
        leader.state = state;
        known.resolve();
      },
      finish: () => {
        this.leaders.delete(scope);
        known.resolve();
        done.resolve();
      },
    };
    this.leaders.set(scope, leader);
    return leader;
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
