import { isDeepStrictEqual } from 'node:util';
import { operationUuid } from '../src/idempotency/index.js';
import type { Answer } from './client.js';
import type { Facts, PaymentRow } from './facts.js';

/** What must hold of what a key can do besides: be given up, have a deadline, look like another. */
export const KEY_RULES = {
  'a sealed key never executes': ({ seals, records, operations }: Facts) => {
    const recordOf = new Map(records.map((record) => [record.key, record]));
    const toldOf = new Map(operations.map(({ key, answers }) => [key, answers]));
    return seals.flatMap(({ key, state }) => {
      const stored = recordOf.get(key)?.status;
      if (stored !== state) return [`${key} was said to be ${state}, and is ${stored ?? 'unused'}`];
      const answers = state === 'sealed' ? (toldOf.get(key) ?? []) : [];
      return answers
        .filter((answer) => codeOf(answer) !== 'idempotency-key-sealed')
        .map(({ status }) => `${key} is sealed, and was told ${status}`);
    });
  },

  'a deadline that passed leaves nothing charged': ({ payments, ledger }: Facts) =>
    payments.filter(hasPassed).flatMap(({ id, reference }) => {
      const charged = ledger.charges.filter((charge) => charge.reference === reference);
      const names = new Set(charged.map((charge) => charge.id));
      const sum = (rows: { amount: number }[]): number => rows.reduce((total, { amount }) => total + amount, 0);
      const left = sum(charged) - sum(ledger.refunds.filter(({ chargeId }) => names.has(chargeId)));
      return left === 0 ? [] : [`payment ${id} came too late, and ${left} of it are charged`];
    }),

  'a possible duplicate asks what another key has asked': ({ records, operations }: Facts) => {
    const keyOf = new Map(records.map((record) => [record.operation_id, record.key]));
    const askedBy = new Map(operations.map((operation) => [operation.key, operation]));
    return operations.flatMap(({ key, path, body, answers: [told] }) => {
      if (!told || codeOf(told) !== 'possible-duplicate') return [];
      const first = operationUuid(/op_\w+/.exec(told.headers['link'] ?? '')?.[0] ?? '');
      const firstKey = keyOf.get(first ?? '');
      // One that was taken back, because the provider was surely not reached, has no record any more.
      if (first && firstKey === undefined) return [];
      const other = askedBy.get(firstKey ?? '');
      const same = other?.path === path && other.key !== key && isDeepStrictEqual(other.body, body);
      return same ? [] : [`${key} was taken for ${other?.key ?? 'nothing'}`];
    });
  },

  'one change of a stock for each key': ({ records, stockChanges }: Facts) => {
    const made = records.filter(({ operation, response_status: status }) => operation === STOCK_CHANGES && status === 201);
    const ids = new Set(made.map((record) => record.operation_id));
    const asked = stockChanges.flatMap((change) => change.operation_id ?? []);
    return [
      ...asked.filter((id) => !ids.has(id)).map((id) => `operation ${id} has no record, and changed a stock`),
      ...(asked.length === new Set(asked).size && asked.length === ids.size
        ? []
        : [`${ids.size} keys changed stocks ${asked.length} times`]),
    ];
  },
};

const STOCK_CHANGES = 'POST /v1/products/:id/stock-changes';

/** Whether a payment ended because its deadline had passed. */
export function hasPassed(payment: PaymentRow): boolean {
  return payment.failure_code === 'deadline_passed';
}

/** The code of an answer that is a problem. */
export function codeOf({ status, text }: Answer): string | undefined {
  return status < 400 ? undefined : (JSON.parse(text) as { code?: string }).code;
}
