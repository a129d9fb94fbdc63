import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { publicId } from '../kernel/ids.js';
import { ListQuery } from '../http/page.js';
import { MAX_AMOUNT } from '../kernel/money.js';
import { amount, createdAt, currency, idOf, metadata, productId, updatedAt, version } from '../openapi/fields.js';
import { IsMetadata } from '../http/validation.js';
import type { Order, OrderItem, OrderStatus } from './order.entity.js';

export const ORDER_STATUSES: OrderStatus[] = ['pending', 'paid', 'cancelled'];

const quantity = { type: 'integer', minimum: 1, maximum: 1000, description: 'How many pieces.', example: 2 } as const;
const customerReference = {
  type: 'string',
  maxLength: 255,
  nullable: true,
  description: 'The client’s own name for the order.',
  example: 'cart-7781',
} as const;

@ApiSchema({ description: 'One line of a new order.' })
export class CreateOrderItem {
  @ApiProperty(productId('A product of the catalogue.'))
  @Matches(/^[A-Za-z0-9._-]{1,64}$/, { message: 'must be 1 to 64 letters, digits, dots, hyphens or underscores' })
  @IsString()
  productId: string;

  @ApiProperty(quantity)
  @Min(1)
  @Max(1000)
  @IsInt()
  quantity: number;
}

@ApiSchema({ description: 'A new order. Prices come from the catalogue.' })
export class CreateOrder {
  @ApiProperty({ type: [CreateOrderItem], minItems: 1, maxItems: 100, description: 'What is ordered; no product twice.' })
  @ValidateNested({ each: true })
  @Type(() => CreateOrderItem)
  @ArrayUnique((item: CreateOrderItem) => item.productId, { message: 'must name no product twice' })
  @IsObject({ each: true, message: 'must hold objects' })
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @IsArray()
  items: CreateOrderItem[];

  @ApiPropertyOptional({ ...currency, description: 'ISO 4217 code; another one than the account’s refuses the order.' })
  @IsOptional()
  @Matches(/^[A-Z]{3}$/, { message: 'must be an ISO 4217 code' })
  currency?: string;

  @ApiPropertyOptional(amount('What the buyer was shown, in the minor unit; another total refuses the order.', 5000))
  @IsOptional()
  @Min(1)
  @Max(MAX_AMOUNT)
  @IsInt()
  expectedTotal?: number;

  @ApiPropertyOptional(customerReference)
  @IsOptional()
  @MaxLength(255)
  @IsString()
  customerReference?: string | null;

  @ApiPropertyOptional({ ...metadata, nullable: true })
  @IsOptional()
  @IsMetadata()
  metadata?: Record<string, string>;
}

@ApiSchema({ description: 'What may change in an order. Members that are absent stay; `metadata` is replaced as a whole.' })
export class UpdateOrder {
  @ApiPropertyOptional({ ...customerReference, description: 'The client’s own name for the order; null removes it.' })
  @IsOptional()
  @MaxLength(255)
  @IsString()
  customerReference?: string | null;

  @ApiPropertyOptional(metadata)
  @ValidateIf((update: UpdateOrder) => update.metadata !== undefined)
  @IsMetadata()
  metadata?: Record<string, string>;
}

@ApiSchema({ description: 'An action without members; an empty body will do.' })
export class CancelOrder {}

/** Query of the list of orders. */
export class ListOrders extends ListQuery {
  @ApiPropertyOptional({ type: 'string', enum: ORDER_STATUSES, description: 'Only orders with this status.' })
  @IsOptional()
  @IsIn(ORDER_STATUSES)
  status?: OrderStatus;
}

@ApiSchema({ name: 'OrderItem', description: 'One line of an order, as agreed when it was placed.' })
export class OrderItemView {
  @ApiProperty(productId('A product of the catalogue.'))
  productId: string;

  @ApiProperty({ type: 'string', description: 'Its name at that time.', example: 'Harbour lamp' })
  name: string;

  @ApiProperty(quantity)
  quantity: number;

  @ApiProperty(amount('Price of one piece at that time, in the minor unit.', 2500))
  unitPrice: number;
}

@ApiSchema({ name: 'Order', description: 'An order.' })
export class OrderView {
  @ApiProperty(idOf('ord', 'Id of the order.'))
  id: string;

  @ApiProperty({ type: 'string', enum: ORDER_STATUSES, description: 'How far it has come.' })
  status: OrderStatus;

  @ApiProperty({ type: [OrderItemView], minItems: 1, maxItems: 100, description: 'What was ordered.' })
  items: OrderItemView[];

  @ApiProperty(currency)
  currency: string;

  @ApiProperty(amount('Sum of all lines, in the minor unit.', 5000))
  total: number;

  @ApiProperty(customerReference)
  customerReference: string | null;

  @ApiProperty(metadata)
  metadata: Record<string, string>;

  @ApiProperty(version)
  version: number;

  @ApiProperty(createdAt)
  createdAt: Date;

  @ApiProperty(updatedAt)
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
