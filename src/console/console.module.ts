import { Module } from '@nestjs/common';
import { ConsoleController } from './console.controller.js';

/** GET /console. */
@Module({ controllers: [ConsoleController] })
export class ConsoleModule {}
