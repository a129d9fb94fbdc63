import type { Type } from '@nestjs/common';
import { etagOf } from '../http/etag.js';
import type { ApiAnswer, ApiOptions } from './api.decorator.js';

/** What answers show, and one of them as the examples have it. */
export interface Shown {
  view: Type;
  example: { [member: string]: unknown; version?: number };
  /** Where the version is no ETag: nothing changes it on a condition. */
  etag?: false;
}

/** The same at another time: its example with these members. */
export function having(shown: Shown, members: Record<string, unknown>): Shown {
  return { ...shown, example: { ...shown.example, ...members } };
}

/** A successful answer; what has a version has an ETag. */
export function ok(shown: Shown, description: string): ApiAnswer {
  const { view, example } = shown;
  return { status: 200, description, view, example, headers: versionOf(shown) };
}

/** The same with the path of what was made. */
export function created(shown: Shown, description: string, location: string): ApiAnswer {
  const { view, example } = shown;
  return { status: 201, description, view, example, headers: { Location: location, ...versionOf(shown) } };
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
  const unchanged: ApiAnswer = { status: 304, description: 'The client has this version already.', headers: versionOf(shown) };
  return {
    ...more,
    summary: `Read ${/^[aeiou]/.test(thing) ? 'an' : 'a'} ${thing}`,
    answers: [ok(shown, `The ${thing}.`), ...('ETag' in versionOf(shown) ? [unchanged] : [])],
  };
}

function versionOf({ example: { version }, etag }: Shown): Record<string, string> {
  return version === undefined || etag === false ? {} : { ETag: etagOf(version) };
}
