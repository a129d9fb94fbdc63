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
import { publicId } from '../ids.js';
import { ListQuery } from '../list.js';
import { IsMetadata } from '../validation.js';
import type { Order, OrderItem, OrderStatus } from './order.entity.js';

const MAX_AMOUNT = 999_999_999_999;
export const ORDER_STATUSES: OrderStatus[] = ['pending', 'paid', 'cancelled'];

/** One line of a new order. */
export class CreateOrderItem {
  /** Id of a product in the catalogue. */
  @Matches(/^[A-Za-z0-9._-]{1,64}$/, { message: 'must be 1 to 64 letters, digits, dots, hyphens or underscores' })
  @IsString()
  productId: string;

  @Min(1)
  @Max(1000)
  @IsInt()
  quantity: number;
}

/** A new order. Prices come from the catalogue. */
export class CreateOrder {
  @ValidateNested({ each: true })
  @Type(() => CreateOrderItem)
  @ArrayUnique((item: CreateOrderItem) => item.productId, { message: 'must name no product twice' })
  @IsObject({ each: true, message: 'must hold objects' })
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @IsArray()
  items: CreateOrderItem[];

  /** ISO 4217; the account's own one, where it is given. */
  @IsOptional()
  @Matches(/^[A-Z]{3}$/, { message: 'must be an ISO 4217 code' })
  currency?: string;

  /** What the buyer was shown, in minor units; another total refuses the order. */
  @IsOptional()
  @Min(1)
  @Max(MAX_AMOUNT)
  @IsInt()
  expectedTotal?: number;

  /** The client's own name for the order. */
  @IsOptional()
  @MaxLength(255)
  @IsString()
  customerReference?: string | null;

  /** At most 50 texts of the client's own. */
  @IsOptional()
  @IsMetadata()
  metadata?: Record<string, string>;
}

/** What may change in an order. Members that are absent stay; `metadata` is replaced as a whole. */
export class UpdateOrder {
  /** null removes it. */
  @IsOptional()
  @MaxLength(255)
  @IsString()
  customerReference?: string | null;

  @ValidateIf((update: UpdateOrder) => update.metadata !== undefined)
  @IsMetadata()
  metadata?: Record<string, string>;
}

/** An action without members; an empty body will do. */
export class CancelOrder {}

/** Query of the list of orders. */
export class ListOrders extends ListQuery {
  @IsOptional()
  @IsIn(ORDER_STATUSES)
  status?: OrderStatus;
}

/** One line of an order as clients see it. */
export class OrderItemView {
  productId: string;
  name: string;
  quantity: number;
  /** In the currency's minor unit. */
  unitPrice: number;
}

/** An order as clients see it. */
export class OrderView {
  id: string;
  status: OrderStatus;
  items: OrderItemView[];
  /** ISO 4217. */
  currency: string;
  /** In the currency's minor unit. */
  total: number;
  customerReference: string | null;
  metadata: Record<string, string>;
  version: number;
  createdAt: Date;
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
