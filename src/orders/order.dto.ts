import { ApiSchema } from '@nestjs/swagger';
import { ArrayUnique } from 'class-validator';
import { etagOf } from '../http/etag.js';
import { reply, type Reply } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import { ListQuery } from '../http/page.js';
import { AnswerField, RequestField, type IntegerField, type TextField } from '../openapi/field.decorator.js';
import { MAX_TEXT, amount, createdAt, currency, idOf, metadata, productId, updatedAt, version } from '../openapi/fields.js';
import { ORDER_STATUSES, type Order, type OrderItem, type OrderStatus } from './order.entity.js';

/** How many lines an order has. */
const LINES = { minItems: 1, maxItems: 100 };
const quantity: IntegerField = { type: 'integer', minimum: 1, maximum: 1000, description: 'How many pieces.', example: 2 };
const customerReference: TextField = {
  type: 'string',
  maxLength: MAX_TEXT,
  nullable: true,
  description: 'The client’s own name for the order.',
  example: 'cart-7781',
};
const status: TextField = { type: 'string', enum: ORDER_STATUSES, description: 'How far it has come.' };

@ApiSchema({ description: 'One line of a new order.' })
export class CreateOrderItem {
  @RequestField(productId('A product of the catalogue.'))
  productId: string;

  @RequestField(quantity)
  quantity: number;
}

@ApiSchema({ description: 'A new order. Prices come from the catalogue.' })
export class CreateOrder {
  @ArrayUnique((item: CreateOrderItem) => item.productId, { message: 'must name no product twice' })
  @RequestField({ type: [CreateOrderItem], ...LINES, description: 'What is ordered; no product twice.' })
  items: CreateOrderItem[];

  @RequestField({
    ...currency,
    required: false,
    nullable: true,
    description: 'ISO 4217 code; another one than the account’s refuses the order.',
  })
  currency?: string | null;

  @RequestField({
    ...amount('What the buyer was shown, in the minor unit; another total refuses the order.', 5000),
    required: false,
    nullable: true,
  })
  expectedTotal?: number | null;

  @RequestField({ ...customerReference, required: false })
  customerReference?: string | null;

  @RequestField({ ...metadata, required: false, nullable: true })
  metadata?: Record<string, string> | null;
}

@ApiSchema({ description: 'What may change in an order. Members that are absent stay; `metadata` is replaced as a whole.' })
export class UpdateOrder {
  @RequestField({ ...customerReference, required: false, description: 'The client’s own name for the order; null removes it.' })
  customerReference?: string | null;

  @RequestField({ ...metadata, required: false })
  metadata?: Record<string, string>;
}

/** Query of the list of orders. */
export class ListOrders extends ListQuery {
  @RequestField({ ...status, required: false, description: 'Only orders with this status.' })
  status?: OrderStatus;
}

@ApiSchema({ name: 'OrderItem', description: 'One line of an order, as agreed when it was placed.' })
export class OrderItemView {
  @AnswerField(productId('A product of the catalogue.'))
  productId: string;

  @AnswerField({ type: 'string', description: 'Its name at that time.', example: 'Harbour lamp' })
  name: string;

  @AnswerField(quantity)
  quantity: number;

  @AnswerField(amount('Price of one piece at that time, in the minor unit.', 2500))
  unitPrice: number;
}

@ApiSchema({ name: 'Order', description: 'An order.' })
export class OrderView {
  @AnswerField(idOf('ord', 'Id of the order.'))
  id: string;

  @AnswerField(status)
  status: OrderStatus;

  @AnswerField({ type: [OrderItemView], ...LINES, description: 'What was ordered.' })
  items: OrderItemView[];

  @AnswerField(currency)
  currency: string;

  @AnswerField(amount('Sum of all lines, in the minor unit.', 5000))
  total: number;

  @AnswerField(customerReference)
  customerReference: string | null;

  @AnswerField(metadata)
  metadata: Record<string, string>;

  @AnswerField(version)
  version: number;

  @AnswerField(createdAt)
  createdAt: Date;

  @AnswerField(updatedAt)
  updatedAt: Date;

  static of(order: Omit<Order, 'accountId' | 'items'> & { items: Pick<OrderItem, keyof OrderItemView>[] }): OrderView {
    return {
      id: publicId('ord', order.id),
      status: order.status,
      items: order.items.map(({ productId, name, quantity, unitPrice }) => ({ productId, name, quantity, unitPrice })),
      currency: order.currency,
      total: order.total,
      customerReference: order.customerReference,
      metadata: order.metadata,
      version: order.version,
      createdAt: order.createdAt,
      updatedAt: order.updatedAt,
    };
  }
}

/** Where orders are placed. Records name what made an order by it. */
export const ORDERS_PATH = '/v1/orders';

/** Where an order is found. */
export function orderPath(order: OrderView): string {
  return `${ORDERS_PATH}/${order.id}`;
}

/** The answer to whoever placed it. */
export function placed(order: OrderView): Reply {
  return reply(201, order, { location: orderPath(order), etag: etagOf(order.version) });
}
