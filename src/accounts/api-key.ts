import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { TypeID } from 'typeid-js';

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

/** A fresh key; its secret has 256 random bits, so that a fast hash is enough to keep it. */
export function generateApiKey(mode: 'test' | 'live'): PresentedKey & { text: string } {
  const id = new TypeID('key').getSuffix();
  const secret = randomBytes(32).toString('hex');
  return { mode, id, secret, text: `hf_${mode}_${id}_${secret}` };
}

export function hashSecret(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

/** Compares in constant time; both sides are SHA-256 values, so nothing about the secret's length shows either. */
export function secretMatches(secret: string, stored: Buffer): boolean {
  return timingSafeEqual(hashSecret(secret), stored);
}
