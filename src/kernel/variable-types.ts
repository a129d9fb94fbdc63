import { z } from 'zod';
import { flawOfDatabaseUrl } from './database-url.js';

/** A length of time as people write it (`250ms`, `30s`, `1m`, `24h`, `400d`), in milliseconds. */
const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Parses a duration such as `30s` into milliseconds.
 * @throws Error when the text is not a whole number followed by ms, s, m, h or d
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  if (!match || unit === undefined) throw new Error('must be a duration such as 500ms, 30s, 1m, 24h or 400d');
  return Number(match[1]) * unit;
}

/** A duration of at least `shortestMs`, in milliseconds. */
export const duration = (fallback: string, shortestMs: number) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      try {
        const milliseconds = parseDuration(text);
        if (milliseconds >= shortestMs) return milliseconds;
        context.addIssue({ code: 'custom', message: `must be at least ${shortestMs}ms` });
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
      }
      return z.NEVER;
    });

/** A whole number from `least` to `most`, none by default. */
export const wholeNumber = (least: number, most: number) =>
  z.string().transform((text, context) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    context.addIssue({ code: 'custom', message: `must be a whole number from ${least} to ${most}` });
    return z.NEVER;
  });

/** The same with a default. */
export const whole = (fallback: number, least: number, most: number) => z.string().default(String(fallback)).pipe(wholeNumber(least, most));

/** A TCP port; 0 takes a free one. */
export const port = (fallback: number) => whole(fallback, 0, 65_535);

const url = (...schemes: string[]) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), {
    message: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  });

/** The address of a database, in any form that node-postgres takes. */
export const postgresUrl = z
  .string()
  .superRefine((text, context) => {
    const flaw = flawOfDatabaseUrl(text);
    if (flaw !== null) context.addIssue({ code: 'custom', message: flaw });
  })
  .optional();

/** An http:// or https:// URL. */
export const webUrl = url('http:', 'https:');

/** `hf_test_<26 characters>_<secret>`: the form of every API key of the test mode. */
export const demoKey = z
  .string()
  .regex(/^hf_test_[0-9A-Za-z]{26}_[A-Za-z0-9_-]{8,128}$/, 'must look like hf_test_<26 letters and digits>_<secret of 8 to 128 characters>')
  .optional();
