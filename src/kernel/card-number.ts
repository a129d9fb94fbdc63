import creditCardType from 'credit-card-type';

/** Numbers of one network: the first eight digits lie between these, both included. */
interface Range {
  first: number;
  last: number;
}

/** Digits that a range is compared by: no network's prefix is longer. */
const PREFIX = 8;

/** Visa's numbers of 13 digits, which the library has given up, are still accepted by those who process cards. */
const MORE_LENGTHS: Record<string, number[]> = { visa: [13] };

/** For each length of card numbers, the ranges of the networks that have numbers of this length. */
const RANGES = rangesByLength();
const LONGEST = Math.max(...RANGES.keys());

/** Digits of other scripts that keyboards have: Arabic, Persian, full width. The last four bits of each are its value. */
const OTHER_DIGITS = /[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g;
/** What stands between groups: one blank or dash of any kind. */
const SEPARATOR = /[\p{Zs}\p{Pd}]/u;
const GROUPS = /\d+(?:[\p{Zs}\p{Pd}]\d+)*/gu;
/** Every network prints groups of four digits or more; the last may be shorter. So lists of sizes, dates and times are none. */
const SHORTEST_GROUP = 4;

/** Long numbers whose form says that they are something else: UUIDs, digests and ids in hexadecimal, IBANs, phone numbers (E.164). */
const OTHER_NUMBERS = new RegExp(
  [
    String.raw`(?<![\dA-Za-z])(?:${[
      String.raw`[\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}`,
      String.raw`(?=\d*[a-fA-F])(?:[\da-fA-F]{8}){2,}`,
      String.raw`[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?`,
    ].join('|')})(?![\dA-Za-z])`,
    String.raw`\+\d(?:[\p{Zs}\p{Pd}]?\d){6,14}(?!\d)`,
  ].join('|'),
  'gu',
);

/**
 * Whether a text holds what must be taken for a card number: digits in one piece, or in groups with single blanks or dashes between
 * them, that have the prefix and the length of a network's numbers and the right check digit (Luhn; ISO/IEC 7812-1). One in ten
 * other numbers with such a prefix and length has it by chance. The time it takes grows with the text's length, no faster.
 */
export function hasCardNumber(text: string): boolean {
  const western = text.replace(OTHER_DIGITS, (digit) => String(digit.charCodeAt(0) & 15));
  for (const [run] of western.replace(OTHER_NUMBERS, ';').matchAll(GROUPS)) {
    const groups = run.split(SEPARATOR);
    if (groups.some((_, from) => startsWithCardNumber(groups, from))) return true;
  }
  return false;
}

function startsWithCardNumber(groups: string[], from: number): boolean {
  let digits = '';
  for (let at = from; at < groups.length; at++) {
    const group = groups[at] ?? '';
    // Nothing is copied of a long text of digits.
    if (digits.length + group.length > LONGEST) return false;
    digits += group;
    if (isCardNumber(digits)) return true;
    if (group.length < SHORTEST_GROUP) return false;
  }
  return false;
}

function isCardNumber(digits: string): boolean {
  const ranges = RANGES.get(digits.length);
  if (!ranges) return false;
  const prefix = Number(digits.slice(0, PREFIX));
  return ranges.some(({ first, last }) => first <= prefix && prefix <= last) && passesLuhn(digits) && !isArticleNumber(digits);
}

/** The check digit of cards: from the right, every second digit doubled, and of what is doubled the sum of its digits. */
function passesLuhn(digits: string): boolean {
  return checkSum(digits, (digit) => (digit > 4 ? 2 * digit - 9 : 2 * digit)) % 10 === 0;
}

/**
 * A bar code (GTIN-12, GTIN-13) by its own check digit. Many begin like a Visa or Maestro number, one in ten of them passes Luhn as
 * well, and shops write them into orders; cards of these lengths are rare.
 */
function isArticleNumber(digits: string): boolean {
  return digits.length <= 13 && checkSum(digits, (digit) => 3 * digit) % 10 === 0;
}

function checkSum(digits: string, second: (digit: number) => number): number {
  let sum = 0;
  for (let at = digits.length - 1, isSecond = false; at >= 0; at--, isSecond = !isSecond) {
    const digit = digits.charCodeAt(at) - 48;
    sum += isSecond ? second(digit) : digit;
  }
  return sum;
}

function rangesByLength(): Map<number, Range[]> {
  const byLength = new Map<number, Range[]>();
  for (const type of Object.values(creditCardType.types)) {
    const { patterns, lengths } = creditCardType.getTypeInfo(type);
    // Maestro's 6 stands for whatever else begins so, for those who guess while somebody types; it would be every such number.
    const ranges = patterns.filter((pattern) => type !== 'maestro' || pattern !== 6).map(rangeOf);
    for (const length of [...lengths, ...(MORE_LENGTHS[type] ?? [])]) byLength.set(length, [...(byLength.get(length) ?? []), ...ranges]);
  }
  return byLength;
}

/** A prefix, or the first and the last of neighbours of the same length. */
function rangeOf(pattern: number | number[]): Range {
  const [first = 0, last = first] = [pattern].flat();
  const scale = 10 ** (PREFIX - String(first).length);
  return { first: first * scale, last: (last + 1) * scale - 1 };
}
