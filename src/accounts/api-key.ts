import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { typeId } from '../idempotency/index.js';
import { newId } from '../kernel/ids.js';

/** What an API key may do; `admin` includes all of it. */
export const SCOPES = [
  'orders:read',
  'orders:write',
  'payments:read',
  'payments:write',
  'tickets:read',
  'tickets:write',
  'operations:read',
  'operations:write',
  'webhooks:read',
  'webhooks:write',
  'catalog:write',
  'admin',
] as const;

export type Scope = (typeof SCOPES)[number];

/** `hf_<mode>_<id>_<secret>`: the id finds the row, the secret proves the key. */
export interface PresentedKey {
  mode: string;
  id: string;
  secret: string;
}

const FORM = /^hf_(test|live)_([0-9A-Za-z]{26})_([A-Za-z0-9_-]{8,128})$/;

/** The parts of a presented key, or null when the text has not the form of one. */
export function parseApiKey(text: string): PresentedKey | null {
  const [, mode, id, secret] = FORM.exec(text) ?? [];
  return mode && id && secret ? { mode, id, secret } : null;
}

/** Crockford's base 32, in which TypeIDs are written. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** Of the 26 characters of an id the last ones, 30 bits that were random anyway. */
const CHECKSUM_LENGTH = 6;

/** A fresh key; its secret has 256 random bits, so that a fast hash is enough to keep it. */
export function generateApiKey(mode: 'test' | 'live'): PresentedKey & { text: string } {
  const start = typeId('key', newId()).slice('key_'.length, -CHECKSUM_LENGTH);
  const id = start + checksumOf(start);
  const secret = randomBytes(32).toString('hex');
  return { mode, id, secret, text: `hf_${mode}_${id}_${secret}` };
}

/**
 * True for the ids of keys that are made here since ids end in a checksum. It is no secret and proves nothing: it spares the
 * database the look at what somebody has made up.
 */
export function hasChecksum(id: string): boolean {
  return id.slice(-CHECKSUM_LENGTH) === checksumOf(id.slice(0, -CHECKSUM_LENGTH));
}

function checksumOf(start: string): string {
  const digest = hash('sha256', `holdfast api key ${start}`, 'buffer');
  return Array.from({ length: CHECKSUM_LENGTH }, (_, at) => ALPHABET[(digest[at] ?? 0) % 32]).join('');
}

export function hashSecret(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

/** Compares in constant time; both sides are SHA-256 values, so nothing about the secret's length shows either. */
export function secretMatches(secret: string, stored: Buffer): boolean {
  return timingSafeEqual(hashSecret(secret), stored);
}
