import type { DataSource } from 'typeorm';
import { CommitsHang } from './errors.js';
import type { Call } from './statement.js';

/** For the transaction that it runs in. */
export const REMOTE_APPLY: Call = {
  name: 'idempotency-remote-apply',
  text: `SELECT set_config('synchronous_commit', 'remote_apply', true)`,
};

/** How commits go through some data sources: whether they hang, and what cuts those off that are under way. */
export interface Commits {
  hang: boolean;
  readonly cuts: Set<() => void>;
}

const known = new WeakMap<DataSource, Commits>();

/** From here on what goes through these data sources heeds `commits`. */
export function heedCommits(sources: Iterable<DataSource>, commits: Commits): void {
  for (const source of sources) known.set(source, commits);
}

/** Whether no standby confirms what is committed through this data source. */
export function commitsHang(dataSource: DataSource): boolean {
  return known.get(dataSource)?.hang ?? false;
}

/** @throws CommitsHang where a commit would wait for a standby that does not answer */
export function refuseWhileHanging(dataSource: DataSource): void {
  if (commitsHang(dataSource)) throw new CommitsHang();
}

/** Runs what commits; `cut` is called when commits are found to hang meanwhile. @throws as `commit` does */
export async function unlessCommitsHang<T>(dataSource: DataSource, cut: () => void, commit: () => Promise<T>): Promise<T> {
  const commits = known.get(dataSource);
  if (!commits) return commit();
  commits.cuts.add(cut);
  try {
    return await commit();
  } finally {
    commits.cuts.delete(cut);
  }
}
