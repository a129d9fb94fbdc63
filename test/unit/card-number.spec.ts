import * as fc from 'fast-check';
import { hasCardNumber } from '../../src/kernel/card-number.js';

/** Test numbers that the networks and those who process their cards publish. */
const CARDS: [string, string][] = [
  ['Visa of 13', '4222222222222'],
  ['Visa of 16', '4111111111111111'],
  ['Visa of 19', '4000000000000000006'],
  ['Mastercard', '5555555555554444'],
  ['Mastercard from 2', '2223003122003222'],
  ['American Express', '378282246310005'],
  ['Discover', '6011111111111117'],
  ['JCB', '3530111333300000'],
  ['Diners Club', '30569309025904'],
  ['UnionPay', '6200000000000005'],
  ['Maestro', '6759649826438453'],
];

describe('card numbers are found', () => {
  it.each(CARDS)('of %s, alone and between other words', (_network, number) => {
    expect(hasCardNumber(number)).toBe(true);
    expect(hasCardNumber(`Please take it from ${number}, thanks.`)).toBe(true);
  });

  it.each([
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    '4111 1111-1111 1111',
    '3782 822463 10005',
    '411111 1111111111',
    '4111\u00A01111\u00A01111\u00A01111',
    '4111\u20111111\u20111111\u20111111',
  ])('in groups: %s', (text) => expect(hasCardNumber(text)).toBe(true));

  it.each([
    'my card: 4111 1111 1111 1111 12/27 123',
    'order 12345 4111 1111 1111 1111',
    'order 2026 0115 4111 1111 1111 1111',
    '4111 1111 1111 1112, no, 4111 1111 1111 1111',
    'card=4111111111111111;exp=12/27',
    'card4111111111111111',
    'card_4111111111111111_2027',
    '我的卡号是4111111111111111请退款',
    `${'x'.repeat(5000)} 4111111111111111 ${'x'.repeat(4000)}`,
  ])('among other things: %#', (text) => expect(hasCardNumber(text)).toBe(true));

  it.each(['４１１１１１１１１１１１１１１１', '４１１１　１１１１　１１１１　１１１１', '٤١١١١١١١١١١١١١١١', '۴۱۱۱۱۱۱۱۱۱۱۱۱۱۱۱'])(
    'in digits of other keyboards: %s',
    (text) => expect(hasCardNumber(text)).toBe(true),
  );

  it('wherever a network and Luhn say so, and nowhere else', () => {
    const digits = fc.integer({ min: 10 ** 14, max: 10 ** 15 - 1 }).map((number) => `4${number}`.slice(0, 15));
    fc.assert(
      fc.property(digits, (start) => {
        const found = Array.from({ length: 10 }, (_, check) => `${start}${check}`).filter(hasCardNumber);
        expect(found).toHaveLength(1);
      }),
    );
  });
});

describe('other numbers pass', () => {
  it.each([
    ['a wrong check digit', '4111111111111112'],
    ['no network', '1234567812345670'],
    ['a length that the network does not have', '41111111111111'],
    ['more digits without an end', '41111111111111110000'],
    ['an American Express prefix and 16 digits', '3782822463100052'],
    ['an order number', 'ORD-2026-000417'],
    ['an order number of digits', '202601150000417'],
    ['IMEI from 35', '356938035643809'],
    ['IMEI from 49', '490154203237518'],
    ['IMEI from 01', '013554002063213'],
    ['IMEI from 86', '861536030196001'],
    ['IMEI from 99', '990000862471853'],
    ['a phone number that passes Luhn', '+4915123456795'],
    ['a phone number in groups', '+4915 1234 5679 5'],
    ['a bar code that passes Luhn as well', '4006381752305'],
    ['a UUID whose first digits pass Luhn', '41928374-1234-4108-8123-123412341234'],
    ['an IBAN', 'DE89 2505 0180 0000 1230 00'],
    ['a digest', 'a4111111111111111b0cdef0123456789abcdef0'],
    ['an IBAN without blanks', 'NO9386011117947'],
    ['a time', '2026-01-15T09:30:00.120Z'],
    ['milliseconds', '1768469400120'],
    ['microseconds', '1768469400120000'],
    ['a time of digits', '20260115093000120'],
    ['sizes whose digits pass Luhn', '57 61 65 69 73 77 81'],
    ['two blanks', '4111  1111  1111  1111'],
    ['nothing', ''],
  ])('%s', (_what, text) => expect(hasCardNumber(text)).toBe(false));

  it('UUIDs, whichever', () => {
    fc.assert(fc.property(fc.uuid(), (id) => expect(hasCardNumber(id)).toBe(false)));
  });
});
