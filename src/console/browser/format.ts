/**
 * Currencies whose minor unit is no hundredth (ISO 4217, list one). Browsers round some others to the coins that are in use, the
 * forint for example, so they are told for each.
 */
const DIGITS: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

const DIGITS_OF = new Map(Object.entries(DIGITS).flatMap(([digits, codes]) => codes.split(' ').map((code) => [code, Number(digits)])));

/** An amount in the currency's minor unit as people read it: 2500 EUR is €25.00. Exact up to the API's largest amount. */
export function money(amount: number, currency: string): string {
  const digits = DIGITS_OF.get(currency) ?? 2;
  try {
    const format = new Intl.NumberFormat(undefined, {
      style: 'currency',
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    return format.format(amount / 10 ** digits);
  } catch {
    // It is no code of three letters.
    return `${amount} ${currency}`;
  }
}

/** A figure, with as many decimals as its size makes worth reading; a dash for what is not known. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return new Intl.NumberFormat(undefined, { maximumFractionDigits: digits }).format(value);
}

/** A length of time: `7 ms`, `1.25 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`; a dash for what is not known. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return '–';
  if (seconds === 0) return '0 s';
  if (seconds < 1) return `${figure(seconds < 0.01 ? Math.round(seconds * 100_000) / 100 : Math.round(seconds * 1_000))} ms`;
  if (seconds < 60) return `${figure(seconds)} s`;
  const [unit, smaller, size, part] =
    seconds < 3_600
      ? (['min', 's', 60, 1] as const)
      : seconds < 86_400
        ? (['h', 'min', 3_600, 60] as const)
        : (['d', 'h', 86_400, 3_600] as const);
  const rest = Math.floor((seconds % size) / part);
  return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${smaller}` : ''}`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
});
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

/** A day and a time of day with milliseconds, where the reader is. */
export function dayAndClock(iso: string): string {
  const date = new Date(iso);
  return `${DAY.format(date)}, ${CLOCK.format(date)}`;
}
