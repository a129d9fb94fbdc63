import { ValidateBy } from 'class-validator';
import { hasCardNumber } from '../kernel/card-number.js';

/** Says which member it is, and never what it holds: answers and logs would be the next places of the number. */
export function HoldsNoCardNumber(): PropertyDecorator {
  return ValidateBy({
    name: 'holdsNoCardNumber',
    validator: { validate: (value: unknown) => !textsOf(value).some(hasCardNumber), defaultMessage: () => 'must not hold a card number' },
  });
}

/** A text itself; of texts under names of the client's choice, these names as well. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Object.entries(value as Record<string, string>).flat();
}
