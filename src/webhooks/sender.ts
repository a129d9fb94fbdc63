import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { signWebhook, webhookKey } from '../kernel/signatures.js';
import { ADDRESS_REFUSED, type Destinations } from './destinations.js';

/** What is sent to whom. */
export interface Message {
  url: string;
  /** The event's public id, the same each time. */
  id: string;
  body: string;
  /** `whsec_…`; while a rotation is fresh the one before as well. */
  secrets: readonly string[];
  /** Of what made the event true; null where that was not traced. */
  traceparent: string | null;
}

/** What became of it. */
export interface Outcome {
  /** What the receiver answered; null where it didn't. */
  status: number | null;
  /** Why there is no answer; null where there is one. */
  error: SendError | null;
  /** In milliseconds. */
  ms: number;
}

/** Reasons why there is no answer. */
export type SendError = 'timeout' | 'address-refused' | 'name-unknown' | 'connection-refused' | 'tls' | 'connection';

/** A receiver has so long to answer, in milliseconds. */
export const SEND_TIMEOUT_MS = 10_000;
/** Of an answer's body so much is read, so that its sender meets no broken connection, and thrown away. */
const READ_BYTES = 16_384;

/**
 * Sends a message once, signed as [Standard Webhooks](https://www.standardwebhooks.com) describe. Redirects are answers like
 * others. Each message has a connection of its own: what a look-up has judged is never used for another name.
 * Never throws; `signal` cuts it off, which is told as a timeout.
 */
export async function sendMessage(message: Message, destinations: Destinations, signal: AbortSignal): Promise<Outcome> {
  const began = performance.now();
  const ended = (status: number | null, error: SendError | null): Outcome => ({
    status,
    error,
    ms: Math.round(performance.now() - began),
  });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]);
  try {
    const response = await post(message, destinations, limit);
    await discard(response).catch(() => undefined);
    return ended(response.statusCode ?? null, null);
  } catch (error) {
    return ended(null, limit.aborted ? 'timeout' : reasonOf(error as NodeJS.ErrnoException));
  }
}

function post(message: Message, destinations: Destinations, signal: AbortSignal): Promise<IncomingMessage> {
  const url = new URL(message.url);
  const lookup = destinations.lookupFor(url);
  const body = Buffer.from(message.body);
  const options: RequestOptions = {
    method: 'POST',
    headers: {
      ...signed(message),
      'content-type': 'application/json',
      'content-length': body.length,
      'user-agent': 'Holdfast',
      ...(message.traceparent !== null && { traceparent: message.traceparent }),
    },
    agent: false,
    signal,
    ...(lookup && { lookup }),
  };
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest(url, options, resolve) : httpRequest(url, options, resolve);
    request.on('error', reject);
    request.end(body);
  });
}

function signed({ id, body, secrets }: Message): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => signWebhook(webhookKey(secret), id, timestamp, body)).join(' '),
  };
}

async function discard(response: IncomingMessage): Promise<void> {
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > READ_BYTES) break;
  }
}

function reasonOf({ code = '' }: NodeJS.ErrnoException): SendError {
  if (code === ADDRESS_REFUSED) return 'address-refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'name-unknown';
  if (code === 'ECONNREFUSED') return 'connection-refused';
  return /CERT|TLS|SSL|SIGNATURE|_ISSUER/.test(code) ? 'tls' : 'connection';
}
