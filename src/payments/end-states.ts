import type { ProblemCode } from '../http/problem-table.js';
import type { OrderStatus } from '../orders/order.entity.js';
import type { PaymentStatus } from './payment.entity.js';

/** What everything about a payment has become when it has ended. */
export interface EndState {
  payment: Exclude<PaymentStatus, 'processing'>;
  /** `provider`: the provider's own word. */
  failureCode: null | 'provider' | 'decided_not_charged' | 'deadline_passed' | 'refunded_after_restore';
  order: OrderStatus;
  /** Of the order's items: taken from the catalogue still, or given back. */
  stock: 'reserved' | 'released';
  /** What the payment's key answers from then on. */
  answer: 201 | 402 | 409;
  /** The code of that answer, where it is a problem. */
  code: ProblemCode | null;
  /** Whether `payments_one_per_order_idx` counts the payment: then it is the order's one payment. */
  countsAsOne: boolean;
  /** What another payment of the order is told, under a new key: nothing, where it is made. */
  nextPayment: ProblemCode | null;
  /** When the provider is asked again: never, where it says that its books change, or in any case, or in any case where it knew of no charge. */
  askedAgain: 'never' | 'where-books-change' | 'always' | 'where-not-charged';
}

/** Every way in which a payment ends. One that has not ended is `processing`: its order can neither be paid nor cancelled. */
export const END_STATES = {
  succeeded: {
    payment: 'succeeded',
    failureCode: null,
    order: 'paid',
    stock: 'reserved',
    answer: 201,
    code: null,
    countsAsOne: true,
    nextPayment: 'order-not-payable',
    askedAgain: 'where-books-change',
  },
  declined: {
    payment: 'failed',
    failureCode: 'provider',
    order: 'pending',
    stock: 'reserved',
    answer: 402,
    code: 'payment-declined',
    countsAsOne: false,
    nextPayment: null,
    askedAgain: 'never',
  },
  /** It succeeded for an order that was cancelled meanwhile, and is given back. */
  'order-cancelled': {
    payment: 'succeeded',
    failureCode: null,
    order: 'cancelled',
    stock: 'released',
    answer: 409,
    code: 'order-not-payable',
    countsAsOne: true,
    nextPayment: 'order-not-payable',
    askedAgain: 'where-books-change',
  },
  /** A person decided that the charge happened. */
  'decided-happened': {
    payment: 'succeeded',
    failureCode: null,
    order: 'paid',
    stock: 'reserved',
    answer: 201,
    code: null,
    countsAsOne: true,
    nextPayment: 'order-not-payable',
    askedAgain: 'always',
  },
  /** A person decided that it did not. Should the charge show later all the same, it is refunded and none of this changes. */
  'decided-did-not-happen': {
    payment: 'failed',
    failureCode: 'decided_not_charged',
    order: 'pending',
    stock: 'reserved',
    answer: 402,
    code: 'payment-declined',
    countsAsOne: false,
    nextPayment: null,
    askedAgain: 'always',
  },
  /** Its deadline came before its outcome: nothing was charged, or it was and is given back. */
  'deadline-passed': {
    payment: 'failed',
    failureCode: 'deadline_passed',
    order: 'pending',
    stock: 'reserved',
    answer: 409,
    code: 'deadline-passed',
    countsAsOne: false,
    nextPayment: null,
    askedAgain: 'where-not-charged',
  },
  /** Its row was lost, and its charge was found at the provider and taken over. */
  'adopted-after-restore': {
    payment: 'succeeded',
    failureCode: null,
    order: 'paid',
    stock: 'reserved',
    answer: 201,
    code: null,
    countsAsOne: true,
    nextPayment: 'order-not-payable',
    askedAgain: 'where-books-change',
  },
  /** Its row was lost, and its charge was found at the provider and given back. */
  'refunded-after-restore': {
    payment: 'failed',
    failureCode: 'refunded_after_restore',
    order: 'pending',
    stock: 'reserved',
    answer: 402,
    code: 'payment-declined',
    countsAsOne: false,
    nextPayment: null,
    askedAgain: 'never',
  },
} as const satisfies Record<string, EndState>;

/** Name of an end state. */
export type End = keyof typeof END_STATES;

/** Failure code of what a person decided did not happen. */
export const DECIDED_NOT_CHARGED = END_STATES['decided-did-not-happen'].failureCode;

/** Failure code of what was wanted no more when it could have been charged, or was known to be. */
export const DEADLINE_PASSED = END_STATES['deadline-passed'].failureCode;
