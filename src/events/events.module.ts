import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EventRow } from './event.entity.js';
import { EventsController } from './events.controller.js';
import { EventsPurger } from './events.purger.js';
import { EventsService } from './events.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([EventRow])],
  controllers: [EventsController],
  providers: [EventsService, EventsPurger],
})
export class EventsModule {}
