import { Module } from '@nestjs/common';
import { AuditCron } from './audit.cron.js';

/** The auditor inside the running service; `main.ts` is the one for the command line. */
@Module({ providers: [AuditCron] })
export class AuditModule {}
