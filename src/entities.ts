import { Account, ApiKey } from './accounts/account.entity.js';
import { RateLimit } from './accounts/rate-limit.entity.js';
import { Product } from './catalog/product.entity.js';
import { StockChange } from './catalog/stock-change.entity.js';
import { EventRow } from './events/event.entity.js';
import { ArchivedRecord, IdempotencyRecord, IdempotencyReplay, TimelineEntry } from './idempotency/index.js';
import { Order, OrderItem } from './orders/order.entity.js';
import { PaymentDecision } from './payments/decision.entity.js';
import { Payment, ProviderEvent, Refund } from './payments/payment.entity.js';
import { PaymentsGate, RestoredCharge } from './payments/restore/restore.entity.js';
import { Ticket } from './tickets/ticket.entity.js';
import { WebhookDelivery } from './webhooks/delivery.entity.js';
import { WebhookEndpoint } from './webhooks/endpoint.entity.js';

/** Every table of this service, as TypeORM has to be told. */
export const ENTITIES = [
  Account,
  ApiKey,
  RateLimit,
  Product,
  StockChange,
  Order,
  OrderItem,
  Payment,
  Refund,
  ProviderEvent,
  PaymentDecision,
  PaymentsGate,
  RestoredCharge,
  Ticket,
  EventRow,
  WebhookEndpoint,
  WebhookDelivery,
  IdempotencyRecord,
  IdempotencyReplay,
  TimelineEntry,
  ArchivedRecord,
];
