import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';
import type { Config } from './config.js';

/**
 * Structured logs, on standard output unless told otherwise; what proves an identity or names a request's key never gets
 * there.
 */
export function createLogger(config: Pick<Config, 'logLevel'>, destination: DestinationStream = standardOutput()): Logger {
  return pino(
    {
      level: config.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: withoutValues },
      redact: {
        paths: ['authorization', 'headers.authorization', 'req.headers.authorization', '*.password', '*.secret', 'secret', 'password'],
        censor: '[redacted]',
      },
    },
    destination,
  );
}

let ofTheProcess: DestinationStream | undefined;

/** One for all loggers of the process: their lines stand in the order in which they were written. */
function standardOutput(): DestinationStream {
  return (ofTheProcess ??= new GatheredLines(pino.destination(1)));
}

/** What has pino say the level of each line. */
const METADATA: unique symbol = Symbol.for('pino.metadata');
/** How long a line may wait for others, in milliseconds: who is killed with SIGKILL loses so much of the log. */
const GATHERED_MS = 20;
/** As pino numbers the levels. */
const WARN = 40;
/** Characters that are gathered at most. */
const MOST_GATHERED = 16_000;

/**
 * Writes several lines together: a system call for each costs as much as making it. Warnings and errors, and what waits before
 * them, are written at once.
 */
class GatheredLines implements DestinationStream {
  readonly [METADATA] = true;
  /** Of the line that is written; set by pino. */
  lastLevel = 0;
  private lines = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly destination: DestinationStream) {
    process.once('exit', () => this.flush());
  }

  write(line: string): void {
    this.lines += line;
    if (this.lastLevel >= WARN || this.lines.length > MOST_GATHERED) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), GATHERED_MS).unref();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { lines } = this;
    // First, or lines whose write fails would be written once more with the next ones.
    this.lines = '';
    if (lines !== '') this.destination.write(lines);
  }
}

/** An error without the SQL and the values that TypeORM and node-postgres hang on theirs: those may hold what a client sent. */
function withoutValues(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error ? error.code : undefined;
  const constraint = 'constraint' in error ? error.constraint : undefined;
  return {
    type: error.name,
    message: error.message,
    code,
    constraint,
    stack: error.stack,
    cause: error.cause && withoutValues(error.cause),
  };
}

/** Contexts in which Nest tells what it sets up: some hundred lines at each start, of use to those who look for something. */
const BOOT = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

/** Hands Nest's own log lines to pino. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write(BOOT.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    // Of a failure to start, which is thrown as well: main.ts says it in a sentence.
    this.write(rest.at(-1) === 'ExceptionHandler' ? 'debug' : 'error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest passes what was logged, then more of it (a stack, an object), then the context's name. */
  private write(level: 'info' | 'error' | 'warn' | 'debug' | 'trace' | 'fatal', message: unknown, rest: unknown[]): void {
    const context = rest.at(-1);
    const [more] = rest.slice(0, -1);
    const text = typeof more === 'string' ? more : undefined;
    if (message instanceof Error) this.logger[level]({ context, err: message }, message.message);
    else if (typeof message === 'object' && message !== null) this.logger[level]({ context, ...message }, text);
    else this.logger[level]({ context, stack: text }, String(message));
  }
}
