/** A JSON schema, as far as requests use it. */
export type Schema = Record<string, any>;

/** A value at the edge of what a schema allows, on this side or on the other. */
export interface Edge {
  /** JSON pointer to what is varied. */
  at: string;
  /** The keyword whose limit it is. */
  limit: string;
  /** The whole request, with this one thing varied. */
  value: unknown;
}

/** A value with every member that the schema names, as its examples have them. */
export function fullExample(schema: Schema): any {
  if (schema['example'] !== undefined) return schema['example'];
  if (schema['enum']) return schema['enum'][0];
  if (schema['type'] === 'array') return [fullExample(schema['items'])];
  if (schema['properties']) {
    return Object.fromEntries(Object.entries<Schema>(schema['properties']).map(([name, member]) => [name, fullExample(member)]));
  }
  return 'x'.repeat(schema['minLength'] ?? 1);
}

/** Values just inside and just outside of every limit that the schema documents. References in it are resolved. */
export function edgesOf(schema: Schema, at = ''): Edge[] {
  const edge = (limit: string, value: unknown): Edge => ({ at, limit, value });
  return [
    ...[null, true, 1, 0.5, 'text', [], {}].map((value) => edge('type', value)),
    ...('enum' in schema ? enumerated(schema).map((value) => edge('enum', value)) : []),
    ...('pattern' in schema ? likeThe(schema).map((value) => edge('pattern', value)) : []),
    ...each(schema, ['minimum', 'maximum'], (limit) => [limit - 1, limit, limit + 1].map(Number), edge),
    ...each(schema, ['minLength', 'maxLength'], 'pattern' in schema ? (limit) => longer(schema, limit) : textsAround, edge),
    ...each(schema, ['minItems', 'maxItems'], (limit) => around(limit).map((count) => distinct(schema['items'], count)), edge),
    ...each(schema, ['maxProperties'], (limit) => around(limit).map((count) => named(count)), edge),
    ...(schema['properties'] ? ofMembers(schema, at) : []),
    ...(schema['items'] ? edgesOf(schema['items'], `${at}/0`).map((one) => ({ ...one, value: [one.value] })) : []),
    ...(schema['propertyNames'] ? edgesOf(schema['propertyNames'], `${at}/{name}`).flatMap(asName) : []),
    ...(schema['additionalProperties']
      ? edgesOf(schema['additionalProperties'], `${at}/*`).map((one) => ({ ...one, value: { a: one.value } }))
      : []),
  ];
}

/** The limits that a schema documents, each as `pointer keyword`. */
export function limitsOf(schema: Schema, at = ''): string[] {
  const keywords = ['enum', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'maxProperties', 'required'];
  return [
    ...keywords.filter((keyword) => keyword in schema).map((keyword) => `${at} ${keyword}`),
    ...Object.entries<Schema>(schema['properties'] ?? {}).flatMap(([name, member]) => limitsOf(member, `${at}/${name}`)),
    ...(schema['items'] ? limitsOf(schema['items'], `${at}/0`) : []),
    ...(schema['propertyNames'] ? limitsOf(schema['propertyNames'], `${at}/{name}`) : []),
    ...(schema['additionalProperties'] ? limitsOf(schema['additionalProperties'], `${at}/*`) : []),
  ];
}

const around = (limit: number): number[] => [limit - 1, limit, limit + 1].filter((count) => count >= 0);

function each(
  schema: Schema,
  keywords: string[],
  make: (limit: number) => unknown[],
  edge: (limit: string, value: unknown) => Edge,
): Edge[] {
  return keywords.flatMap((keyword) => (keyword in schema ? make(schema[keyword]).map((value) => edge(keyword, value)) : []));
}

function ofMembers(schema: Schema, at: string): Edge[] {
  const whole = fullExample(schema);
  const without = (name: string) => Object.fromEntries(Object.entries(whole).filter(([other]) => other !== name));
  return [
    { at, limit: 'required', value: whole },
    { at, limit: 'additionalProperties', value: { ...whole, colour: 'red' } },
    ...Object.entries<Schema>(schema['properties']).flatMap(([name, member]) => [
      { at, limit: 'required', value: without(name) },
      ...edgesOf(member, `${at}/${name}`).map((one) => ({ ...one, value: { ...whole, [name]: one.value } })),
    ]),
  ];
}

function asName({ value, ...edge }: Edge): Edge[] {
  return typeof value === 'string' ? [{ ...edge, value: { [value]: 'x' } }] : [];
}

function named(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'x']));
}

/** Entries that no rule finds equal: a text of each is its own. */
function distinct(schema: Schema, count: number): unknown[] {
  const words: string[] | undefined = schema['enum'];
  if (words) return Array.from({ length: count }, (_, n) => words[n % words.length]);
  const entry = fullExample(schema);
  const isFree = (text: unknown, pattern?: string) => typeof text === 'string' && (!pattern || new RegExp(pattern, 'u').test(`${text}0`));
  const [name] = Object.entries(entry).find(([each, member]) => isFree(member, schema['properties']?.[each]?.pattern)) ?? [];
  return Array.from({ length: count }, (_, n) => (name === undefined ? entry : { ...entry, [name]: `${entry[name]}${n}` }));
}

function enumerated({ enum: values }: Schema): string[] {
  return values.flatMap((value: string) => [value, value.toUpperCase(), `${value} `, value.slice(1)]);
}

/** So many characters, of one unit, of two, and of two code points that look like one. */
function textsAround(limit: number): string[] {
  const texts = around(limit).flatMap((count) => ['x'.repeat(count), '\u{1f6a2}'.repeat(count)]);
  return limit > 1 ? [...texts, `${'x'.repeat(limit - 2)}❤️`, `${'x'.repeat(limit - 1)}❤️`] : texts;
}

/** The example with more behind it: a text of `x` alone would not match the pattern. */
function longer({ example }: Schema, limit: number): string[] {
  return around(limit).map((count) => String(example).padEnd(count, 'x'));
}

const PROBES = [' ', '\n', '-', '.', '_', '/', 'a', 'A', '0', 'é', '\u{1f6a2}'];
const CARD_LIKE = ['123456789012', '12345678901', '1234_5678_9012', '1_2_3_4_5_6_7_8_9_0_1_2', '1234_5678_901', '4242__4242__4242__4242'];

/** Texts like the example, each with something changed; runs in it as long as the pattern's numbers allow, or one more or less. */
function likeThe({ example, pattern }: Schema): string[] {
  const counts = [...String(pattern).matchAll(/\d+/g)].flatMap(([count]) => around(Number(count)));
  const runs = [...String(example).matchAll(/[A-Za-z]+|\d+/g)];
  const replaced = ({ 0: run, index }: RegExpExecArray, by: string) => example.slice(0, index) + by + example.slice(index + run.length);
  return [
    example,
    example.slice(1),
    example.slice(0, -1),
    example.toUpperCase(),
    example.toLowerCase(),
    ...PROBES.flatMap((probe) => [probe + example, example + probe, example.slice(0, 2) + probe + example.slice(2)]),
    ...runs.flatMap((run) =>
      [...counts.flatMap((count) => ['A'.repeat(count), '1'.repeat(count)]), ...CARD_LIKE].map((by) => replaced(run, by)),
    ),
  ];
}
