import { Problem } from './problem.js';

const MAX_DEPTH = 32;
/** Members of one object and elements of one array. */
const MAX_WIDTH = 1_000;
/** Members of these names would reach into the prototype of whatever the body is copied to, or into the class that it is checked against. */
const REACHING = new Set(['__proto__', 'constructor', 'prototype']);

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Commas met so far in what is open at each depth; one for all bodies, since a scan ends before the next begins. */
const commas = new Int32Array(MAX_DEPTH + 1);

/** A JSON object as it was sent. */
export interface ReadBody {
  body: Record<string, unknown>;
  /** Some object in it has two members of one name, of which `body` keeps the last, as JSON.parse does. */
  doubled: boolean;
}

/**
 * Reads a JSON object of at most `maxValues` values (each object, array, text, number, true, false and null is one), and
 * refuses what PostgreSQL or a replay could not keep as it was sent. No bytes are an empty object.
 * @throws Problem `malformed-json`, or `invalid-request` for an object or array that is too wide, and for too many values
 */
export function readJsonObject(bytes: Buffer, maxValues: number): ReadBody {
  if (bytes.length === 0) return { body: {}, doubled: false };
  const text = decode(bytes);
  const written = measure(text, maxValues);
  const body = parse(text);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw malformed('The body must be a JSON object.');
  return { body: body as Record<string, unknown>, doubled: countStorable(body) !== written };
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed('The body is not UTF-8.');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('The body is not JSON.');
  }
}

/**
 * How many members are written in the text, doubled ones included. It bounds depth, width and values before anything is made of
 * them, in one pass; of a text that is no JSON it says nothing, that is left to JSON.parse.
 */
function measure(text: string, maxValues: number): number {
  let depth = 0;
  let members = 0;
  let values = 1;
  let isEmpty = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // Blanks: every character that stands for nothing is below the quote.
    if (code <= 0x20) continue;
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      depth += 1;
      if (depth > MAX_DEPTH) throw malformed(`The body is nested deeper than ${MAX_DEPTH} levels.`);
      commas[depth] = 0;
      isEmpty = true;
      continue;
    }
    if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      if (!isEmpty) values += 1;
      depth = Math.max(depth - 1, 0);
    } else if (code === COMMA) {
      values += 1;
      const width = (commas[depth] ?? 0) + 1;
      commas[depth] = width;
      if (width >= MAX_WIDTH) throw tooLarge(`An object or array has more than ${MAX_WIDTH} members or elements.`);
    } else if (code === COLON) members += 1;
    else if (code === QUOTE) at = endOfText(text, at);
    isEmpty = false;
    if (values > maxValues) throw tooLarge(`The body has more than ${maxValues} values.`);
  }
  return members;
}

/** Where the text that begins at `start` has its closing quote; the end of all where it has none. */
function endOfText(text: string, start: number): number {
  for (let end = start; ;) {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
}

/** How many members the value has, in all its objects. */
function countStorable(value: unknown): number {
  if (typeof value === 'string') refuseUnstorable(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw malformed('A number is too large.');
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const element of value) members += countStorable(element);
    return members;
  }
  for (const [name, member] of Object.entries(value)) {
    if (REACHING.has(name)) throw malformed(`A member may not be named ${name}.`);
    refuseUnstorable(name);
    members += 1 + countStorable(member);
  }
  return members;
}

/** PostgreSQL's text holds no NUL (manual, section 8.3), and a lone surrogate has no UTF-8 form. */
function refuseUnstorable(text: string): void {
  if (text.includes('\0')) throw malformed('A text holds the character NUL.');
  if (!text.isWellFormed()) throw malformed('A text holds a lone surrogate.');
}

function malformed(detail: string): Problem {
  return new Problem('malformed-json', detail);
}

function tooLarge(detail: string): Problem {
  return new Problem('invalid-request', detail, { errors: [{ pointer: '', detail }] });
}
