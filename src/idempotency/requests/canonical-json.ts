/**
 * A JSON value in the canonical form of RFC 8785: members ordered by UTF-16 code units, no white space, numbers and strings as
 * ECMAScript writes them. Undefined for what is no JSON at all, such as a body that wasn't sent.
 * @throws Error for what the form excludes: NaN, infinities and lone surrogates
 */
export function canonicalJson(value: unknown): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${value} is not allowed in canonical JSON`);
  if (typeof value === 'string' && !value.isWellFormed()) throw new Error('a lone surrogate is not allowed in canonical JSON');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if ('toJSON' in value && typeof value.toJSON === 'function') return canonicalJson(value.toJSON());
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item) ?? 'null').join(',')}]`;
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const member = canonicalJson((value as Record<string, unknown>)[name]);
    if (member !== undefined) members.push(`${canonicalJson(name)}:${member}`);
  }
  return `{${members.join(',')}}`;
}
