import { toCall, type Call } from './statement.js';

/** A stretch of what is queued that can be undone alone. */
interface Part {
  /** Where it begins in the queue, while nothing of it has left. */
  begin: number;
  /** A savepoint stands in front of what has left of it. */
  isSaved: boolean;
}

/**
 * What waits for the next packet. Parts of it may be undone while the rest stays: what has not left is forgotten, and only a part
 * of which something has left costs a savepoint.
 */
export class CallQueue {
  private calls: Call[] = [];
  /** Those that are open, one inside the other. */
  private readonly parts: Part[] = [];
  private mayViolate = false;

  get isEmpty(): boolean {
    return this.calls.length === 0;
  }

  /** True while something waits that may violate a constraint, which then means something. */
  get isDoubtful(): boolean {
    return this.mayViolate;
  }

  add(call: Call): void {
    this.calls.push(call);
  }

  doubt(): void {
    this.mayViolate = true;
  }

  /** All that waits, to be sent now; with a savepoint for each open part that has none. */
  take(): Call[] {
    let moved = 0;
    for (const [depth, part] of this.parts.entries()) {
      if (part.isSaved) continue;
      this.calls.splice(part.begin + moved, 0, savepoint('SAVEPOINT', depth));
      moved += 1;
      part.isSaved = true;
    }
    this.mayViolate = false;
    return this.calls.splice(0);
  }

  /** Begins a part, inside the one that is open. */
  begin(): void {
    this.parts.push({ begin: this.calls.length, isSaved: false });
  }

  /** Ends the innermost part; it is now a piece of what surrounds it. */
  keep(): void {
    if (this.parts.pop()?.isSaved) this.add(savepoint('RELEASE', this.parts.length));
  }

  /** Ends the innermost part as if it had never been. */
  undo(): void {
    const part = this.parts.pop();
    if (!part) throw new Error('no part is open');
    this.mayViolate = false;
    // All that waits was queued after a part's last statement left, so it belongs to the part.
    this.calls.length = part.isSaved ? 0 : part.begin;
    if (!part.isSaved) return;
    const depth = this.parts.length;
    this.calls.push(savepoint('ROLLBACK TO', depth), savepoint('RELEASE', depth));
  }
}

function savepoint(verb: 'SAVEPOINT' | 'RELEASE' | 'ROLLBACK TO', depth: number): Call {
  const text = `${verb} holdfast_${depth}`;
  return toCall({ name: text, text });
}
