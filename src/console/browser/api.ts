import { currentKey } from './session.js';

/** A problem as the API tells it (RFC 9457). */
export interface Problem {
  title: string;
  status: number;
  detail: string;
  /** Absent where something on the way answered, and not the API. */
  code?: string;
  retry?: 'same-key' | 'new-key' | 'never';
  requestId?: string;
  operationId?: string;
  errors?: { pointer: string; detail: string }[];
}

/** An answer; `status` 0 when none came. */
export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON, the text of anything else, null without a body. */
  body: unknown;
  /** From sending to the end of the body, in milliseconds. */
  ms: number;
}

export interface Request {
  method?: 'GET' | 'POST';
  /** Idempotency key. */
  key?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** What the API refused, thrown by those that need its answer. */
export class Refusal extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

/** The headers with which a request goes out. */
export function headersOf({ key, headers, body }: Request): Record<string, string> {
  const apiKey = currentKey();
  return {
    accept: 'application/json',
    ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(key !== undefined && { 'idempotency-key': key }),
    ...headers,
  };
}

/** Sends a request to this server, and gives whatever came of it. It never throws. */
export async function send(path: string, request: Request = {}): Promise<Answer> {
  const { method = 'GET', body } = request;
  const began = performance.now();
  const since = (): number => performance.now() - began;
  try {
    const response = await fetch(path, {
      method,
      headers: headersOf(request),
      cache: 'no-store',
      credentials: 'omit',
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text), ms: since() };
  } catch {
    return { status: 0, headers: new Headers(), body: null, ms: since() };
  }
}

/** The body of a successful answer. @throws Refusal with the problem of any other */
export async function ask<T>(path: string, request?: Request): Promise<T> {
  const answer = await send(path, request);
  if (answer.status < 200 || answer.status > 299) throw new Refusal(problemOf(answer));
  return answer.body as T;
}

/** One page of a list. */
export interface Page<T> {
  data: T[];
  nextCursor: string | null;
}

/** What an answer says is wrong, also where it is not the API's. */
export function problemOf({ status, body }: Answer): Problem {
  if (isProblem(body)) return body;
  if (status === 0) return { title: 'No answer came', status, detail: 'The connection was cut, or this server cannot be reached.' };
  return { title: `HTTP status ${status}`, status, detail: 'This answer is not the API’s; a proxy in front of it may have sent it.' };
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'title' in body && 'status' in body && 'detail' in body;
}

function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Sends a request, and cuts the connection as soon as all of it has left: its answer is lost, as if the network had failed at that
 * moment. XMLHttpRequest tells when that is, `fetch` doesn't.
 */
export function sendAndLose(path: string, request: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    const connection = new XMLHttpRequest();
    connection.upload.addEventListener('load', () => {
      connection.abort();
      resolve();
    });
    connection.addEventListener('error', () => reject(new Refusal(problemOf({ status: 0, headers: new Headers(), body: null, ms: 0 }))));
    connection.open(request.method ?? 'POST', path);
    for (const [name, value] of Object.entries(headersOf(request))) connection.setRequestHeader(name, value);
    connection.send(JSON.stringify(request.body));
  });
}

/** A key for a new intent; whoever meets it in a story knows where it came from. */
export function freshKey(): string {
  return `console-${[...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
