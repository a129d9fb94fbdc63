const VISIBLE = /^[\x21-\x7e]{1,255}$/;

/**
 * A key that nobody else has: a UUIDv7 (RFC 9562, section 5.7), which servers with a primary key on it like best, and from which a
 * server can tell that a request is too old to be executed.
 */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const time = Date.now().toString(16).padStart(12, '0');
  // The variant's two bits, and two random ones of a byte that is used nowhere else.
  const variant = (0x8 | ((bytes[0] ?? 0) & 0x3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/**
 * A key that is sent bare: 1 to 255 visible ASCII characters, of which the first is no quote.
 * @throws TypeError otherwise
 */
export function checkKey(key: string): string {
  if (!VISIBLE.test(key) || key.startsWith('"')) throw new TypeError(`a key has 1 to 255 visible ASCII characters: ${JSON.stringify(key)}`);
  return key;
}
