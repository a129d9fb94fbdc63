import { Idempotency1700000000001 } from '../../migrations/1700000000001-idempotency.js';
import { Speculation1700000000004 } from '../../migrations/1700000000004-speculation.js';
import { Resumable1700000000007 } from '../../migrations/1700000000007-resumable.js';
import { OwnerFunctions1700000000009 } from '../../migrations/1700000000009-owner-functions.js';
import { Sealing1700000000015 } from '../../migrations/1700000000015-sealing.js';
import { DuplicatesAndRetries1700000000016 } from '../../migrations/1700000000016-duplicates-and-retries.js';
import { Traceparent1700000000021 } from '../../migrations/1700000000021-traceparent.js';
import { FinalRecords1700000000026 } from '../../migrations/1700000000026-final-records.js';
import { LastTry1700000000029 } from '../../migrations/1700000000029-last-try.js';
import { QuickFinalRecords1700000000030 } from '../../migrations/1700000000030-quick-final-records.js';
import { TimelineByAccount1700000000031 } from '../../migrations/1700000000031-timeline-by-account.js';
import { OwnerFunctionsByAccount1700000000034 } from '../../migrations/1700000000034-owner-functions-by-account.js';

export {
  Idempotency1700000000001,
  Speculation1700000000004,
  Resumable1700000000007,
  OwnerFunctions1700000000009,
  Sealing1700000000015,
  DuplicatesAndRetries1700000000016,
  Traceparent1700000000021,
  FinalRecords1700000000026,
  LastTry1700000000029,
  QuickFinalRecords1700000000030,
  TimelineByAccount1700000000031,
  OwnerFunctionsByAccount1700000000034,
};

/** The migrations of the core's tables and functions, in order, for the `migrations` of a TypeORM data source. */
export const migrations = [
  Idempotency1700000000001,
  Speculation1700000000004,
  Resumable1700000000007,
  OwnerFunctions1700000000009,
  Sealing1700000000015,
  DuplicatesAndRetries1700000000016,
  Traceparent1700000000021,
  FinalRecords1700000000026,
  LastTry1700000000029,
  QuickFinalRecords1700000000030,
  TimelineByAccount1700000000031,
  OwnerFunctionsByAccount1700000000034,
];
