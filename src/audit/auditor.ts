import { setTimeout as sleep } from 'node:timers/promises';
import type { NamedUrl } from '../database/own-session.js';
import type { Config } from '../kernel/config.js';
import type { Progress } from '../kernel/progress.js';
import type { Check, Finding, Findings } from './check.js';
import { PENDING_AT_PROVIDER, ledgerChecks } from './ledger-checks.js';
import { moneyChecks } from './money-checks.js';
import { ledgerOf, type ProviderLedger } from '../payments/provider/ledger.js';
import { WAITING, recordChecks } from './record-checks.js';
import { Snapshot, type SnapshotSettings } from './snapshot.js';

/** Before suspects are looked at again, in milliseconds. */
const SECOND_LOOK = 2_000;
/** From then on an operation that runs is reported, in milliseconds. */
const LONG_MS = 600_000;

/** Every kind of difference that the auditor knows. */
export const KINDS: readonly string[] = [...recordChecks, ...moneyChecks, ...ledgerChecks].map(({ kind }) => kind);

/** What an audit found. */
export interface AuditReport {
  /** Only kinds that were found. */
  differences: Findings[];
  /** Operations that run for long; no differences. */
  waiting: Findings;
  /** Effects at the provider whose operations are not finished; no differences. */
  pendingAtProvider: number;
  /** What could not be audited, and why. */
  notAudited: string[];
}

type AuditAddress = 'backgroundUrl' | 'backgroundVariable' | 'databaseOwnerUrl' | 'ownerVariable';
type AuditAddresses = Pick<Config, AuditAddress>;

/** Settings that an audit needs. */
export type AuditConfig = Pick<Config, AuditAddress | 'provider' | 'providerUrl' | 'lateRequests' | 'archiveRetention'>;

interface Pass extends Pick<AuditReport, 'waiting' | 'pendingAtProvider'> {
  found: Findings[];
}

/** How an audit goes about it. */
export interface AuditOptions {
  /** Before suspects are looked at again, in milliseconds. */
  pauseMs?: number;
  /** From then on an operation that runs is reported, in milliseconds. */
  longMs?: number;
  /** Cuts the audit off, its queries too; it then rejects. */
  signal?: AbortSignal | undefined;
  /** Hears how far it is. */
  progress?: Progress;
}

/**
 * Reconciles records, business rows and the provider's ledger, and changes nothing. What differs is looked at a second
 * time after `pauseMs`, and only what differs both times is reported: an effect that was under way is no difference.
 * @throws Error when the database or the ledger can't be read; CommandFailure where each address leads through a pooler
 */
export async function audit(config: AuditConfig, options: AuditOptions = {}): Promise<AuditReport> {
  const { pauseMs = SECOND_LOOK, longMs = LONG_MS, signal, progress } = options;
  const ledger = ledgerOf(config);
  const checks = checksFor(config, ledger);
  const lookOnce = (): Promise<Pass> =>
    look(addressesFor(config), ledger, checks, { archiveMs: config.archiveRetention, longMs, signal }, progress);
  let pass = await lookOnce();
  if (pass.found.length > 0) {
    progress?.step('a second look at what differs');
    await sleep(pauseMs, undefined, { signal });
    const first = pass.found;
    pass = await lookOnce();
    pass.found = foundBothTimes(first, pass.found);
  }
  const { found: differences, waiting, pendingAtProvider } = pass;
  return { differences, waiting, pendingAtProvider, notAudited: reasonsNotTo(config, ledger) };
}

/** Where an audit may have a session to itself and sees all accounts: the owner's address, where there is one, may lead past a pooler. */
export function addressesFor({ backgroundUrl, backgroundVariable, databaseOwnerUrl, ownerVariable }: AuditAddresses): NamedUrl[] {
  const own = { variable: backgroundVariable, url: backgroundUrl };
  return ownerVariable === 'DATABASE_URL' ? [own] : [own, { variable: ownerVariable, url: databaseOwnerUrl }];
}

function checksFor({ lateRequests }: AuditConfig, ledger: ProviderLedger | null): Check[] {
  const checks = [...recordChecks, ...moneyChecks, ...(ledger ? ledgerChecks : [])];
  return lateRequests === 'execute' ? checks.filter(({ needsArchive }) => !needsArchive) : checks;
}

function reasonsNotTo({ lateRequests }: AuditConfig, ledger: ProviderLedger | null): string[] {
  const reasons: string[] = [];
  if (!ledger) reasons.push('the provider: it has no ledger that could be read whole');
  if (lateRequests === 'execute') reasons.push('rows without operation: a late request replaces the record of the first one');
  return reasons;
}

async function look(
  addresses: NamedUrl[],
  ledger: ProviderLedger | null,
  checks: Check[],
  settings: SnapshotSettings,
  progress?: Progress,
): Promise<Pass> {
  progress?.step(ledger ? 'the ledger of the provider and a picture of the database' : 'a picture of the database');
  const snapshot = await Snapshot.take(addresses, ledger?.ledger(settings.signal) ?? null, settings);
  try {
    progress?.step(`${checks.length} checks`);
    const found: Findings[] = [];
    for (const [done, check] of checks.entries()) {
      progress?.count(done, checks.length, `checks, now ${check.kind}`);
      const findings = await snapshot.find(check);
      if (findings.count > 0) found.push(findings);
    }
    return { found, waiting: await snapshot.find(WAITING), pendingAtProvider: await snapshot.count(PENDING_AT_PROVIDER) };
  } finally {
    await snapshot.close();
  }
}

/** Places of the second look that the first one had as well. Where there are too many to keep, they are no accident of time. */
function foundBothTimes(first: Findings[], second: Findings[]): Findings[] {
  const name = ({ account, subject }: Finding): string => `${account} ${subject}`;
  return second.flatMap((findings) => {
    const before = first.find(({ kind }) => kind === findings.kind);
    if (!before) return [];
    if (before.count > before.places.length) return [findings];
    const known = new Set(before.places.map(name));
    const places = findings.places.filter((place) => known.has(name(place)));
    return places.length > 0 ? [{ kind: findings.kind, count: places.length, places }] : [];
  });
}

/** How many differences a report has. */
export function sumOf({ differences }: AuditReport): number {
  return differences.reduce((sum, { count }) => sum + count, 0);
}

/** The report as lines for people; the last one is `differences: N`. */
export function* linesOf(report: AuditReport): Generator<string> {
  for (const { kind, count, places } of [...report.differences, report.waiting]) {
    for (const { account, subject, detail } of places) yield `${kind}  ${subject}${account ? ` of ${account}` : ''}: ${detail}`;
    if (count > places.length) yield `${kind}  … and ${count - places.length} more`;
  }
  if (report.pendingAtProvider > 0)
    yield `pending: ${report.pendingAtProvider} effects at the provider belong to operations that are not finished`;
  for (const reason of report.notAudited) yield `not audited: ${reason}`;
  yield `differences: ${sumOf(report)}`;
}
