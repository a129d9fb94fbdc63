import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

/** Content that is no JSON, as a text that stands for it and that no JSON is like. */
export class Opaque {
  constructor(readonly text: string) {}
}

/** The parts of a request that make it the same request. */
export interface FingerprintInput {
  method: string;
  /** Path and query as received. */
  url: string;
  /** Where the route reads it. */
  ifMatch: string | undefined;
  /** The parsed JSON body, or what stands for another one. */
  body: unknown;
}

/**
 * SHA-256 over method, path, query, If-Match and the canonical JSON (RFC 8785) of the body: member order and white space
 * don't matter, every value does. The parts are set apart by line feeds, which none but the last can hold. In hexadecimal digits.
 */
export function fingerprint({ method, url, ifMatch, body }: FingerprintInput): string {
  const content = body instanceof Opaque ? body.text : canonicalJson(body);
  return hash('sha256', `${method}\n${url}\n${ifMatch ?? ''}\n${content ?? ''}`, 'hex');
}
