/** After so many calls in a row that got no answer there is a pause, in milliseconds. */
const FAILURES = 20;
const PAUSE = 3_000;

/** How a call ended: the provider spoke, whatever it said, or it didn't, or it was not asked. */
export type Heard = 'answer' | 'silence' | 'nothing';

/** Counts calls in a row without an answer, and tells when to make none for a while. */
export class Silence {
  private readonly counts = new Map<string, number>();
  private readonly looking = new Set<string>();
  private pausedUntil: number | undefined;
  private readonly most: number;

  /** `accounts`: how many must be silent together for a pause. One that is silent alone adds no more than its part. */
  constructor(private readonly accounts: number) {
    this.most = Math.ceil(FAILURES / accounts);
  }

  /**
   * Asks for a call. The function must be told how it ended; undefined: there is a pause. When that is over, one call of each of
   * a few accounts looks whether the provider speaks again, so that none of them alone can prolong it.
   */
  admit(account: string): ((heard: Heard) => void) | undefined {
    const looks = this.pausedUntil !== undefined;
    if (looks) {
      if (performance.now() < (this.pausedUntil ?? 0) || this.looking.has(account) || this.looking.size >= this.accounts) return undefined;
      this.looking.add(account);
    }
    return (heard) => {
      if (looks) this.looking.delete(account);
      if (heard === 'answer') this.reset();
      // What began before the pause says nothing about its end.
      if (heard === 'silence' && looks === (this.pausedUntil !== undefined)) this.count(account, looks);
    };
  }

  private reset(): void {
    this.counts.clear();
    this.pausedUntil = undefined;
  }

  private count(account: string, looked: boolean): void {
    this.counts.set(account, Math.min((this.counts.get(account) ?? 0) + 1, this.most));
    const sum = [...this.counts.values()].reduce((total, count) => total + count, 0);
    if (!looked && sum < FAILURES) return;
    this.counts.clear();
    this.pausedUntil = performance.now() + PAUSE;
  }
}
