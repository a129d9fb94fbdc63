import type { FastifyReply } from 'fastify';
import { Problem } from './problem.js';

/** The entity tag of a resource that counts its versions (RFC 9110, section 8.8.3). */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * Refuses a change that doesn't say which version it is meant for, before anything else is looked at.
 * @throws Problem `precondition-required`
 */
export function requireIfMatch(ifMatch: string | undefined): string {
  if (!ifMatch) throw versionMissing();
  return ifMatch;
}

/**
 * If-Match by strong comparison (RFC 9110, section 13.1.1).
 * @throws Problem `precondition-failed`
 */
export function checkIfMatch(ifMatch: string, version: number): void {
  if (!tags(ifMatch).some((tag) => tag === '*' || tag === etagOf(version))) {
    throw versionStale(version);
  }
}

/** If-None-Match by weak comparison (RFC 9110, section 13.1.2): true when the client has this version already. */
export function isUnchanged(ifNoneMatch: string | undefined, version: number): boolean {
  return tags(ifNoneMatch ?? '').some((tag) => tag === '*' || tag.replace(/^W\//, '') === etagOf(version));
}

/** On what a request without a key depends, as its headers say. */
export interface Conditions {
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
}

/**
 * Both conditions of a request that changes something (RFC 9110, section 13.2.2). `version`: the present one, null where there is nothing.
 * @throws Problem `precondition-failed`
 */
export function checkConditions(conditions: Conditions, version: number | null): void {
  const { ifMatch } = conditions;
  if (ifMatch !== undefined) {
    if (version === null) throw new Problem('precondition-failed', 'There is nothing that If-Match could fit.');
    checkIfMatch(ifMatch, version);
  }
  if (version !== null) checkIfNoneMatch(conditions, version);
}

/** @throws Problem `precondition-failed` where If-None-Match names the present version, or any */
export function checkIfNoneMatch({ ifNoneMatch }: Conditions, version: number): void {
  if (isUnchanged(ifNoneMatch, version)) throw versionStale(version);
}

/** The request doesn't say which version it is meant for. */
export function versionMissing(): Problem {
  return new Problem('precondition-required', 'Send the ETag of the version that you want to change in If-Match.');
}

/** It is meant for another one than the present `version`. */
export function versionStale(version: number): Problem {
  return new Problem('precondition-failed', `The present version has the ETag ${etagOf(version)}.`);
}

function tags(header: string): string[] {
  return header.split(',').map((tag) => tag.trim());
}

/** The resource with its ETag; 304 without a body when the client has this version already. */
export function sendVersion<View extends { version: number }>(
  response: FastifyReply,
  view: View,
  ifNoneMatch: string | undefined,
): View | undefined {
  void response.header('etag', etagOf(view.version));
  if (!isUnchanged(ifNoneMatch, view.version)) return view;
  void response.status(304);
  return undefined;
}
