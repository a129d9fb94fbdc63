import type { Type } from '@nestjs/common';
import { etagOf } from '../http/etag.js';
import type { ApiAnswer, ApiOptions } from './api.decorator.js';

/** What answers show, and one of them as the examples have it. */
export interface Shown {
  view: Type;
  example: { [member: string]: unknown; version?: number };
}

/** The same at another time: its example with these members. */
export function having({ view, example }: Shown, members: Record<string, unknown>): Shown {
  return { view, example: { ...example, ...members } };
}

/** A successful answer; what has a version has an ETag. */
export function ok({ view, example }: Shown, description: string): ApiAnswer {
  return { status: 200, description, view, example, headers: versionOf(example) };
}

/** The same with the path of what was made. */
export function created({ view, example }: Shown, description: string, location: string): ApiAnswer {
  return { status: 201, description, view, example, headers: { Location: location, ...versionOf(example) } };
}

/** A list: pages of what is shown. `things`: their plural in a sentence. */
export function listOf(
  { view, example }: Shown,
  {
    things,
    description = `The account’s ${things}, newest first.`,
    ...more
  }: Pick<ApiOptions, 'id' | 'problems'> & { things: string; description?: string },
): ApiOptions {
  return {
    ...more,
    summary: `List ${things}`,
    description,
    answers: [{ status: 200, description: `A page of ${things}.`, view, list: true, example }],
  };
}

/** A read of one thing by its id; what has a version answers 304 to who has it already. */
export function readOf(
  shown: Shown,
  { thing, ...more }: Pick<ApiOptions, 'id' | 'description' | 'params' | 'problems'> & { thing: string },
): ApiOptions {
  const unchanged: ApiAnswer = { status: 304, description: 'The client has this version already.', headers: versionOf(shown.example) };
  return {
    ...more,
    summary: `Read ${/^[aeiou]/.test(thing) ? 'an' : 'a'} ${thing}`,
    answers: [ok(shown, `The ${thing}.`), ...(shown.example.version === undefined ? [] : [unchanged])],
  };
}

function versionOf({ version }: Shown['example']): Record<string, string> {
  return version === undefined ? {} : { ETag: etagOf(version) };
}
