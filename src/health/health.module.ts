import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PaymentsModule } from '../payments/payments.module.js';
import { HealthController } from './health.controller.js';

@Module({ imports: [TerminusModule, PaymentsModule], controllers: [HealthController] })
export class HealthModule {}
