import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DeliveriesPurger } from './deliveries.purger.js';
import { DeliveriesService } from './deliveries.service.js';
import { WebhookDelivery } from './delivery.entity.js';
import { DeliveryStore } from './delivery.store.js';
import { DeliveryWatch } from './delivery.watch.js';
import { Dispatcher } from './dispatcher.js';
import { WebhookEndpoint } from './endpoint.entity.js';
import { EndpointsService } from './endpoints.service.js';
import { FanOut } from './fan-out.js';
import { WebhookDeliveriesController } from './webhook-deliveries.controller.js';
import { WebhookEndpointsController } from './webhook-endpoints.controller.js';

@Module({
  imports: [TypeOrmModule.forFeature([WebhookEndpoint, WebhookDelivery])],
  controllers: [WebhookEndpointsController, WebhookDeliveriesController],
  providers: [EndpointsService, DeliveriesService, FanOut, DeliveryStore, DeliveryWatch, Dispatcher, DeliveriesPurger],
})
export class WebhooksModule {}
