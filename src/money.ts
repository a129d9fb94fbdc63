/** Largest amount, in a currency's minor unit; the tables' CHECKs say the same. */
export const MAX_AMOUNT = 999_999_999_999;
