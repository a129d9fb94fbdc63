/** Every type of event there is. */
export const EVENT_TYPES = [
  'order.created',
  'order.updated',
  'order.cancelled',
  'order.paid',
  'payment.processing',
  'payment.succeeded',
  'payment.failed',
  'refund.succeeded',
  'refund.failed',
  'ticket.created',
  'ticket.updated',
  'product.created',
  'product.updated',
  'product.deleted',
] as const;
