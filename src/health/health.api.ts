import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { RETRY_AFTER } from '../idempotency/index.js';
import type { ApiOptions } from '../openapi/api.decorator.js';

const checks = (description: string) => ({
  type: 'object' as const,
  additionalProperties: {
    type: 'object',
    required: ['status'],
    properties: {
      status: { type: 'string' },
      reason: { type: 'string' },
      gate: { type: 'string', enum: ['open', 'closed'] },
      commits: { type: 'string', enum: ['unconfirmed'] },
    },
  },
  description,
});

@ApiSchema({ description: 'What was checked, and how it stands.' })
class HealthReport {
  @ApiProperty({ type: 'string', enum: ['ok', 'error', 'shutting_down'], description: 'All of it together.' })
  status: string;

  @ApiProperty(checks('The checks that passed.'))
  info: Record<string, object>;

  @ApiProperty(checks('The checks that failed, and why.'))
  error: Record<string, object>;

  @ApiProperty(checks('All checks.'))
  details: Record<string, object>;
}

const up = { status: 'up' };
const payments = { status: 'up', gate: 'open' };
const down = { status: 'down', reason: 'the database does not answer' };

export const CHECK_LIVE: ApiOptions = {
  id: 'checkLive',
  summary: 'Liveness',
  description: 'The process runs and answers. It says nothing about the database: a restart would not bring that back.',
  answers: [
    {
      status: 200,
      description: 'It runs.',
      view: HealthReport,
      example: { status: 'ok', info: { process: up }, error: {}, details: { process: up } },
    },
  ],
};

export const CHECK_READY: ApiOptions = {
  id: 'checkReady',
  summary: 'Readiness',
  description:
    'The process should get requests: the database answers and takes writes, its migrations are the ones of this code, and it isn’t shutting down. `payments` tells whether they pass, or wait until a restored database is compared with the provider; it decides nothing. Nor does `commits`, which is there while no synchronous standby confirms what is written: stored answers and reads go on.',
  answers: [
    {
      status: 200,
      description: 'It is ready.',
      view: HealthReport,
      example: {
        status: 'ok',
        info: { shutdown: up, database: up, payments },
        error: {},
        details: { shutdown: up, database: up, payments },
      },
    },
    {
      status: 503,
      description: 'It is not ready.',
      view: HealthReport,
      headers: { 'Retry-After': String(RETRY_AFTER) },
      example: {
        status: 'error',
        info: { shutdown: up, payments: up },
        error: { database: down },
        details: { shutdown: up, database: down, payments: up },
      },
    },
  ],
};
