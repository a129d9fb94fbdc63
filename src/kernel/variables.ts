import { isIP } from 'node:net';
import { z } from 'zod';
import { flawOfDatabaseUrl } from './database-url.js';
import { parseDuration } from './durations.js';

const duration = (fallback: string, shortestMs: number) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      try {
        const milliseconds = parseDuration(text);
        if (milliseconds >= shortestMs) return milliseconds;
        context.addIssue({ code: 'custom', message: `must be at least ${shortestMs}ms` });
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
      }
      return z.NEVER;
    });

const wholeNumber = (least: number, most: number) =>
  z.string().transform((text, context) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    context.addIssue({ code: 'custom', message: `must be a whole number from ${least} to ${most}` });
    return z.NEVER;
  });

const whole = (fallback: number, least: number, most: number) => z.string().default(String(fallback)).pipe(wholeNumber(least, most));

const port = (fallback: number) => whole(fallback, 0, 65_535);

const url = (...schemes: string[]) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), {
    message: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  });

/** The address of a database, in any form that node-postgres takes. */
const postgresUrl = z
  .string()
  .superRefine((text, context) => {
    const flaw = flawOfDatabaseUrl(text);
    if (flaw !== null) context.addIssue({ code: 'custom', message: flaw });
  })
  .optional();
const webUrl = url('http:', 'https:');

/** `hf_test_<26 characters>_<secret>`: the form of every API key of the test mode. */
const demoKey = z
  .string()
  .regex(/^hf_test_[0-9A-Za-z]{26}_[A-Za-z0-9_-]{8,128}$/, 'must look like hf_test_<26 letters and digits>_<secret of 8 to 128 characters>')
  .optional();

/** An IP address, or one with the length of its prefix. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const most = { 4: 32, 6: 128 }[isIP(address)];
  return most !== undefined && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
}

/** `name=value,name=value` with percent-encoded values, as OpenTelemetry has its lists. */
const pairs = z
  .string()
  .default('')
  .transform((text, context): Record<string, string> => {
    const found = text.split(',').map((pair) => /^ *([\w.-]+)=(.*?) *$/.exec(pair));
    try {
      return text === '' ? {} : Object.fromEntries(found.map((pair) => [pair?.[1] ?? '', decodeURIComponent(pair?.[2] ?? '%')]));
    } catch {
      context.addIssue({ code: 'custom', message: 'must be name=value,name=value with percent-encoded values' });
      return z.NEVER;
    }
  });

/** Longer windows than a day are quotas; their timers would not fit either. */
const LONGEST_RATE = 86_400_000;

/** The one list of environment variables, with what each may say; `.env.example` is checked against it by a test. */
export const variables = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  PORT: port(3000),
  HOST: z.string().default('127.0.0.1'),
  // No default inside: zod applies it also where the variable is optional, and /metrics would leave the API's port.
  INTERNAL_PORT: wholeNumber(0, 65_535).optional(),
  DRAIN_TIME: duration('0s', 0),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  KEY_HASH_SALT: z.string().default(''),
  DATABASE_URL: postgresUrl,
  DATABASE_BACKGROUND_URL: postgresUrl,
  DATABASE_OWNER_URL: postgresUrl,
  MIGRATE: z.enum(['true', 'false']).default('true'),
  DB_POOL_SIZE: whole(10, 1, 1_000),
  ACCOUNT_SHARE: z.coerce.number('must be a number').gt(0, 'must be more than 0').max(1, 'must be at most 1').default(0.2),
  EMBEDDED_DB_PORT: whole(5499, 1, 65_535),
  EMBEDDED_DB_DIR: z.string().default('.holdfast/postgres'),
  DEMO_API_KEY: demoKey,
  DEMO_API_KEY_B: demoKey,
  RATE_LIMIT: z
    .string()
    .regex(/^[1-9]\d{0,8}\/[1-9]\d{0,8}(ms|s|m|h|d)$/, 'must be <n>/<duration>, for example 600/1m')
    .default('60000/1m')
    .transform((text) => {
      const [requests = '', time = ''] = text.split('/');
      return { requests: Number(requests), milliseconds: parseDuration(time) };
    })
    .refine(({ milliseconds }) => milliseconds <= LONGEST_RATE, 'must be per 24h or less'),
  RATE_LIMIT_STORE: z.enum(['memory', 'postgres']).default('memory'),
  TRUST_PROXY: z
    .string()
    .refine((text) => text.split(',').every(isNetwork), 'must be addresses or networks, for example 10.0.0.0/8,fd00::/8')
    .optional(),
  IDEMPOTENCY_WINDOW: duration('24h', 1_000),
  IDEMPOTENCY_LEASE: duration('30s', 100),
  IDEMPOTENCY_RECOVERY_INTERVAL: duration('2s', 50),
  IDEMPOTENCY_PURGE_INTERVAL: duration('1m', 50),
  IDEMPOTENCY_ARCHIVE_RETENTION: duration('400d', 1_000),
  IDEMPOTENCY_LATE_REQUESTS: z.enum(['refuse', 'execute']).default('refuse'),
  PROVIDER: z.enum(['sandbox', 'stripe']).optional(),
  FAILOVER: z.enum(['lossless', 'lossy']).default('lossy'),
  PAYMENTS_SYNCHRONOUS_COMMIT: z.enum(['on', 'remote_apply']).default('on'),
  PROVIDER_URL: webUrl.optional(),
  PROVIDER_TIMEOUT: duration('10s', 50),
  PROVIDER_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'must look like whsec_<base64 of 24 bytes or more>')
    .optional(),
  PROVIDER_WEBHOOK_URL: webUrl.optional(),
  SANDBOX_PORT: port(3400),
  SANDBOX_DATABASE_URL: postgresUrl,
  WEBHOOK_ALLOW: z
    .string()
    .refine(
      (text) => text.split(',').every((entry) => isNetwork(entry) || /^[A-Za-z0-9.-]+(:\d{1,5})?$/.test(entry)),
      'must be addresses, networks or hosts, for example 10.0.0.0/8,receiver:8080',
    )
    .optional(),
  STRIPE_SECRET_KEY: z.string().optional(),
  STRIPE_API_HOST: webUrl.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: webUrl.optional(),
  OTEL_EXPORTER_OTLP_HEADERS: pairs,
  OTEL_SERVICE_NAME: z.string().default('holdfast'),
  OTEL_RESOURCE_ATTRIBUTES: pairs,
  OTEL_TRACES_SAMPLER: z
    .enum(['always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'])
    .default('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number('must be a number').min(0, 'must be at least 0').max(1, 'must be at most 1').default(1),
  OTEL_BSP_SCHEDULE_DELAY: whole(5_000, 0, 3_600_000),
  OTEL_SDK_DISABLED: z.enum(['true', 'false']).default('false'),
});
