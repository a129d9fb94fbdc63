/** For the tests of an application that has the core: whether its handlers keep what `@Idempotent()` promises. */
export type { Examination, Example, Finding, Rule } from './examination.js';
export { examineHandlers } from './examine.js';
