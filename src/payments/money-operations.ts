import { ORDERS_PATH } from '../orders/order.dto.js';
import { OPERATIONS_PATH, PAYMENTS_PATH, REFUNDS_OF_PAYMENT_PATH } from './payment-replies.js';

/** What stands for method and route of the operation that gives a late charge back, which nobody asks for. */
export const LATE_CHARGE_REFUND = 'refund of a late charge';

/** Every operation that moves money, or decides whether it moved. */
export const MONEY_OPERATIONS: readonly string[] = [
  `POST ${PAYMENTS_PATH}`,
  `POST ${REFUNDS_OF_PAYMENT_PATH}`,
  `POST ${ORDERS_PATH}/:id/cancel`,
  `POST ${OPERATIONS_PATH}/:id/decision`,
  LATE_CHARGE_REFUND,
];
