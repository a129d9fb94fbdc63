import { ValidateBy } from 'class-validator';

/** The name of the rule, for those who count the values of the largest legal body. */
export const HOLD_AT_MOST = 'holdAtMost';

/** The elements of this array may have so many entries together in the arrays that they call `member`. */
export function HoldAtMost(most: number, member: string, refusal: string): PropertyDecorator {
  return ValidateBy({
    name: HOLD_AT_MOST,
    constraints: [most, member],
    validator: {
      validate: (elements: unknown) => !Array.isArray(elements) || entriesIn(elements, member) <= most,
      defaultMessage: () => refusal,
    },
  });
}

function entriesIn(elements: unknown[], member: string): number {
  return elements.reduce<number>((sum, element) => {
    const entries: unknown = typeof element === 'object' && element !== null ? (element as Record<string, unknown>)[member] : undefined;
    return sum + (Array.isArray(entries) ? entries.length : 0);
  }, 0);
}
