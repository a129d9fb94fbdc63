import { existsSync } from 'node:fs';
import type { z } from 'zod';
import { databaseOf, withDatabase } from './database-url.js';
import { variables } from './variables.js';

/** The names of all environment variables that Holdfast reads. */
export const variableNames: readonly string[] = Object.keys(variables.shape);

type Variables = z.infer<typeof variables>;

/** Every setting of the process; durations in milliseconds. */
export type Config = Readonly<ReturnType<typeof parseConfig>>;

/** Roles in the embedded PostgreSQL. */
export const EMBEDDED_ROLES = { owner: 'holdfast', api: 'holdfast_api', background: 'holdfast_background' } as const;

/** Injection token of the configuration. */
export const CONFIG = Symbol('holdfast:config');

/** Says which variables are wrong, by name and reason; never repeats a value, which may be a secret. */
export class ConfigError extends Error {}

/**
 * Turns environment variables into the configuration. An empty value counts as not set, as in compose files.
 * @throws ConfigError naming every variable that is wrong
 */
export function parseConfig(env: Record<string, string | undefined>) {
  const given = Object.fromEntries(variableNames.map((name) => [name, env[name] === '' ? undefined : env[name]]));
  const parsed = variables.safeParse(given);
  const wrong = parsed.success
    ? contradictions(parsed.data)
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${reasonOf(issue)}`);
  if (!parsed.success || wrong.length > 0) throw new ConfigError(wrong.join('\n'));
  return settingsOf(parsed.data);
}

function settingsOf(values: Variables) {
  return Object.freeze({
    production: values.NODE_ENV === 'production',
    port: values.PORT,
    host: values.HOST,
    internalPort: values.INTERNAL_PORT,
    drainTime: values.DRAIN_TIME,
    logLevel: values.LOG_LEVEL,
    keyHashSalt: values.KEY_HASH_SALT,
    ...databaseAddresses(values),
    migrate: values.MIGRATE === 'true',
    poolSize: values.DB_POOL_SIZE,
    accountShare: values.ACCOUNT_SHARE,
    embeddedPort: values.EMBEDDED_DB_PORT,
    embeddedDirectory: values.EMBEDDED_DB_DIR,
    demoKeys: [values.DEMO_API_KEY, values.DEMO_API_KEY_B] as const,
    rateLimit: values.RATE_LIMIT,
    rateLimitStore: values.RATE_LIMIT_STORE,
    trustProxy: values.TRUST_PROXY,
    window: values.IDEMPOTENCY_WINDOW,
    lease: values.IDEMPOTENCY_LEASE,
    recoveryInterval: values.IDEMPOTENCY_RECOVERY_INTERVAL,
    purgeInterval: values.IDEMPOTENCY_PURGE_INTERVAL,
    archiveRetention: values.IDEMPOTENCY_ARCHIVE_RETENTION,
    lateRequests: values.IDEMPOTENCY_LATE_REQUESTS,
    provider: values.PROVIDER ?? 'sandbox',
    failover: values.FAILOVER,
    paymentsRemoteApply: values.PAYMENTS_SYNCHRONOUS_COMMIT === 'remote_apply',
    providerUrl: values.PROVIDER_URL ?? `http://127.0.0.1:${values.SANDBOX_PORT}`,
    providerTimeout: values.PROVIDER_TIMEOUT,
    providerWebhookSecret: values.PROVIDER_WEBHOOK_SECRET,
    providerWebhookUrl: values.PROVIDER_WEBHOOK_URL,
    sandboxPort: values.SANDBOX_PORT,
    /** Where webhooks may go beside the public internet: this machine, where nothing else is said and it is not production. */
    webhookAllow: values.WEBHOOK_ALLOW?.split(',') ?? (values.NODE_ENV === 'production' ? [] : ['127.0.0.0/8', '::1', 'localhost']),
    stripeSecretKey: values.STRIPE_SECRET_KEY,
    stripeApiHost: values.STRIPE_API_HOST,
    tracing: tracingOf(values),
  });
}

/** Where traces go, and of what. */
export interface TracingSettings {
  /** Base URL of the collector. */
  endpoint: string;
  /** Sent with each batch; they may hold a secret. */
  headers: Record<string, string>;
  serviceName: string;
  resourceAttributes: Record<string, string>;
  /** `ratio`: of all traces, where the sampler goes by that. */
  sampler: { name: Variables['OTEL_TRACES_SAMPLER']; ratio: number };
  /** How long spans wait for others to leave with, in milliseconds. */
  exportDelay: number;
}

function tracingOf(values: Variables): TracingSettings | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SDK_DISABLED: disabled } = values;
  if (endpoint === undefined || disabled === 'true') return undefined;
  return {
    endpoint,
    headers: values.OTEL_EXPORTER_OTLP_HEADERS,
    serviceName: values.OTEL_SERVICE_NAME,
    resourceAttributes: values.OTEL_RESOURCE_ATTRIBUTES,
    sampler: { name: values.OTEL_TRACES_SAMPLER, ratio: values.OTEL_TRACES_SAMPLER_ARG },
    exportDelay: values.OTEL_BSP_SCHEDULE_DELAY,
  };
}

/** The database as each role, and the variables that the addresses come from; the one of `databaseUrl` where one role does all. */
function databaseAddresses(values: Variables) {
  const { DATABASE_URL: api, DATABASE_BACKGROUND_URL: background, DATABASE_OWNER_URL: owner } = values;
  const embedded = (role: string): string => `postgres://${role}@127.0.0.1:${values.EMBEDDED_DB_PORT}/holdfast`;
  const databaseUrl = api ?? embedded(EMBEDDED_ROLES.api);
  const databaseOwnerUrl = owner ?? api ?? embedded(EMBEDDED_ROLES.owner);
  return {
    databaseUrl,
    /** The role that sees all accounts. */
    backgroundUrl: background ?? api ?? embedded(EMBEDDED_ROLES.background),
    databaseOwnerUrl,
    // On the same server, but another database, as a provider's would be.
    sandboxDatabaseUrl: values.SANDBOX_DATABASE_URL ?? withDatabase(databaseOwnerUrl, `${databaseOf(databaseUrl)}_sandbox`),
    databaseIsEmbedded: api === undefined,
    backgroundVariable: background === undefined ? ('DATABASE_URL' as const) : ('DATABASE_BACKGROUND_URL' as const),
    ownerVariable: owner === undefined ? ('DATABASE_URL' as const) : ('DATABASE_OWNER_URL' as const),
  };
}

/** zod words a wrong enum by quoting what is allowed and never the value, so its messages are safe to print. */
function reasonOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_value' ? `must be one of ${issue.values.join(', ')}` : issue.message;
}

function contradictions(values: Variables): string[] {
  const wrong: string[] = [];
  if (values.IDEMPOTENCY_LEASE <= values.PROVIDER_TIMEOUT) {
    wrong.push('IDEMPOTENCY_LEASE: must be longer than PROVIDER_TIMEOUT, or a call in flight loses its lease');
  }
  if (values.IDEMPOTENCY_ARCHIVE_RETENTION < values.IDEMPOTENCY_WINDOW) {
    wrong.push(
      'IDEMPOTENCY_ARCHIVE_RETENTION: must not be below IDEMPOTENCY_WINDOW, or a key that nobody has used yet counts as forgotten',
    );
  }
  if (values.PROVIDER === 'stripe' && !values.STRIPE_SECRET_KEY) {
    wrong.push('STRIPE_SECRET_KEY: must be set when PROVIDER is stripe');
  }
  if (values.NODE_ENV !== 'test' && values.STRIPE_API_HOST && new URL(values.STRIPE_API_HOST).protocol !== 'https:') {
    wrong.push('STRIPE_API_HOST: must begin with https://, or the secret key would travel for everybody to read');
  }
  if (values.NODE_ENV === 'production') {
    if (!values.DATABASE_URL) wrong.push('DATABASE_URL: must be set in production');
    else if ((values.DATABASE_BACKGROUND_URL ?? values.DATABASE_URL) === values.DATABASE_URL) {
      wrong.push(
        'DATABASE_BACKGROUND_URL: must be set in production, to another role than DATABASE_URL: where one role does all, row-level security does not act',
      );
    }
    if (!values.PROVIDER) wrong.push('PROVIDER: must be set in production: stripe, or sandbox where no money is to move');
    for (const name of ['DEMO_API_KEY', 'DEMO_API_KEY_B'] as const) {
      if (values[name]) wrong.push(`${name}: demo accounts do not exist in production`);
    }
  }
  return wrong;
}

/**
 * Reads the environment, after a `.env` file in the working directory where there is one (variables that are
 * already set win). The only reader of `process.env`. Ends the process with a clear sentence on nonsense.
 */
export function readConfig(): Config {
  try {
    readEnvFile();
    return parseConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`Holdfast cannot start with this configuration:\n${error.message}\n`);
    process.exit(78);
  }
}

function readEnvFile(): void {
  if (!existsSync('.env')) return;
  try {
    process.loadEnvFile('.env');
  } catch (error) {
    throw new ConfigError(`.env: cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'})`);
  }
}

/** This process's environment with `extra` laid over it, for a child process that reads its own configuration. */
export function childEnvironment(extra: Record<string, string>): NodeJS.ProcessEnv {
  return { ...process.env, ...extra };
}

/** Whether a build server runs this: `CI`, which all of them set. A convention among programs, and no setting of Holdfast. */
export function inContinuousIntegration(): boolean {
  return !['', '0', 'false'].includes(process.env['CI'] ?? '');
}
