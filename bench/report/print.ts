import type { Progress } from '../../src/kernel/progress.js';

/** Ends the progress and prints what was measured: one JSON object where that was asked for, a page in Markdown otherwise. */
export function print<Report>(report: Report, render: (report: Report) => string, { json }: { json: boolean }, progress: Progress): void {
  progress.end();
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : render(report));
}
