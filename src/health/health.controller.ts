import { setTimeout as sleep } from 'node:timers/promises';
import { Catch, Controller, Get, ServiceUnavailableException, UseFilters, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { HealthCheck, HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Public } from '../accounts/access.guard.js';
import { RECOVERY, whyNotReady } from '../database/data-source.js';
import { commitsHang, FormerPrimary, RETRY_AFTER } from '../idempotency/index.js';
import { Lifecycle } from '../http/lifecycle.js';
import { Api } from '../openapi/api.decorator.js';
import { RestoreGate } from '../payments/restore/restore-gate.js';
import { CHECK_LIVE, CHECK_READY } from './health.api.js';

/** An unreachable database must not hold up the answer that says so, in milliseconds. */
const CHECK_TIMEOUT = 2_500;

/** Terminus' own report, for those who read it: which check failed, and why. */
@Catch(ServiceUnavailableException)
class ReportFilter implements ExceptionFilter {
  catch(error: ServiceUnavailableException, host: ArgumentsHost): void {
    void host.switchToHttp().getResponse<FastifyReply>().status(503).header('retry-after', String(RETRY_AFTER)).send(error.getResponse());
  }
}

const NO_ANSWER = 'the database does not answer';

function whyNoAnswer(error: unknown): string {
  return error instanceof FormerPrimary ? error.message : NO_ANSWER;
}

@Controller('health')
@Public()
@UseFilters(ReportFilter)
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly lifecycle: Lifecycle,
    private readonly gate: RestoreGate,
    @InjectDataSource(RECOVERY) private readonly dataSource: DataSource,
  ) {}

  @Get('live')
  @Api(CHECK_LIVE)
  @HealthCheck({ swaggerDocumentation: false })
  live(): Promise<HealthCheckResult> {
    return this.health.check([() => this.indicators.check('process').up()]);
  }

  @Get('ready')
  @Api(CHECK_READY)
  @HealthCheck({ swaggerDocumentation: false })
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      () => {
        const indicator = this.indicators.check('shutdown');
        return this.lifecycle.leaving ? indicator.down() : indicator.up();
      },
      async () => {
        const indicator = this.indicators.check('database');
        const late = sleep(CHECK_TIMEOUT, NO_ANSWER, { ref: false });
        const reason = await Promise.race([whyNotReady(this.dataSource).catch(whyNoAnswer), late]);
        if (reason !== null) return indicator.down({ reason });
        // Reading goes on, so this decides nothing: every replica says the same of one server.
        return commitsHang(this.dataSource) ? indicator.up({ commits: 'unconfirmed' }) : indicator.up();
      },
      async () => {
        // Everything else goes on while payments wait, so this decides nothing.
        const late = sleep(CHECK_TIMEOUT, null, { ref: false });
        const isOpen = await Promise.race([this.gate.isOpen(this.dataSource).catch(() => null), late]);
        const indicator = this.indicators.check('payments');
        return isOpen === null ? indicator.up() : indicator.up({ gate: isOpen ? 'open' : 'closed' });
      },
    ]);
  }
}
