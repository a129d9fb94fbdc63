/** To code that goes on when the transaction of its handler has ended. */
export const OVER =
  'This code outlives the idempotent handler that started it: the transaction is over. Await it, or start it in outsideTransaction(…)';
