/** What an order and its record say to the database: the service's own statements, so that only the way differs in which they are sent. */
export { CHANGE_STOCK, FIND_PRODUCTS } from '../../src/catalog/catalog.service.js';
export { FIND, FIND_ARCHIVED, INSERT_COMPLETED } from '../../src/idempotency/records/record.store.js';
export { LOCK } from '../../src/idempotency/requests/locks.js';
export { INSERT_ITEMS, INSERT_ORDER } from '../../src/orders/order.store.js';
