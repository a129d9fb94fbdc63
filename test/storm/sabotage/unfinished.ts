import { archiveGone } from '../../../src/idempotency/records/archive.js';

/** Moves every unfinished record into the archive, as a purge might that doesn't look at what it takes; `count`: how many. */
export const ARCHIVE_UNFINISHED = `
  WITH taken AS (DELETE FROM idempotency_records WHERE status = 'running' RETURNING *),
       gone AS (
         SELECT account_id, key, operation_id, operation, resource, response_status, attempt, created_at, now() AS completed_at, now() AS expires_at
           FROM taken)${archiveGone(() => '')}
  SELECT count(*)::int AS count FROM gone`;
