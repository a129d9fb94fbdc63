import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { followFlows, presentTransaction } from './connection-guard.js';
import { isOfTransaction } from './own-streams.js';
import type { PostgresTransaction } from './postgres-transaction.js';

/** A call that a handler made beside its transaction. */
export interface OutsideCall {
  /** The route, or the step. */
  owner: string;
  /** `fetch POST https://…`, `SQL INSERT …`, `10.0.0.7:6379`: without query strings and values. */
  call: string;
}

type Hear = (call: OutsideCall, tx: PostgresTransaction) => void;

const hearers = new WeakMap<DataSource, Set<Hear>>();
/** Transactions of which a call was told: the bytes of it on a socket are no further one. */
const told = new WeakSet<PostgresTransaction>();
/** Sockets of which SQL is told. */
const named = new WeakSet<object>();
const log = new Logger('Idempotency');
let installed = false;

/** Heeds calls that handlers of this data source make while their transactions are open. */
export function heedOutsideCalls(dataSource: DataSource, what: 'warn' | 'refuse'): void {
  const warned = new Set<string>();
  hearOutsideCalls(dataSource, (call, tx) => {
    const sentence = sentenceOf(call);
    if (what === 'refuse') tx.vetoes.push(() => refuse(sentence));
    else if (!warned.has(sentence) && warned.size < MOST_WARNINGS) {
      warned.add(sentence);
      log.warn(sentence);
    }
  });
}

/** Tells of each such call; what comes back ends that. They are found by asynchronous flows, which are followed from here on. */
export function hearOutsideCalls(dataSource: DataSource, hear: Hear): () => void {
  const ours = hearers.get(dataSource) ?? new Set();
  hearers.set(dataSource, ours.add(hear));
  install();
  return () => void ours.delete(hear);
}

function notice(call: () => string, onlyFirst = false): void {
  const tx = presentTransaction();
  if (!tx?.isOpen || (onlyFirst && told.has(tx))) return;
  told.add(tx);
  for (const hear of hearers.get(tx.dataSource) ?? []) hear({ owner: tx.owner, call: call() }, tx);
}

function install(): void {
  followFlows();
  if (installed) return;
  installed = true;
  subscribe('undici:request:create', (message) => {
    const { request } = message as { request: { method: string; origin: string | URL; path: string } };
    notice(() => `fetch ${request.method} ${new URL(pathOf(request.path), request.origin).href}`);
  });
  subscribe('http.client.request.start', (message) => {
    const { request } = message as { request: ClientRequest };
    notice(() => `${request.method} ${request.protocol}//${String(request.getHeader('host') ?? request.host)}${pathOf(request.path)}`);
  });
  seeQueries();
  seeSockets();
}

/** Those of any connection of node-postgres but the transaction's own. */
function seeQueries(): void {
  type Pg = { connection?: { stream?: object } };
  const name = ({ connection }: Pg): void => void (connection?.stream && named.add(connection.stream));
  before(Client.prototype, 'connect', name);
  before(Client.prototype, 'query', (client: Pg, [sent]: [string | { text?: string }]) => {
    name(client);
    const text = typeof sent === 'string' ? sent : sent?.text;
    if (!isOfTransaction(client.connection?.stream)) notice(() => `SQL ${(text ?? '').trim().slice(0, 80)}`);
  });
}

/** What has a wire of its own: Redis, queues, mail, other databases. Pipes and the sockets of servers are none of it, and those of HTTP are told by name. */
function seeSockets(): void {
  before(Socket.prototype, 'write', (socket: Socket & { server?: unknown; _httpMessage?: unknown }) => {
    if (socket.remotePort === undefined || socket.server || socket._httpMessage || named.has(socket) || isOfTransaction(socket)) return;
    notice(() => `${socket.remoteAddress}:${socket.remotePort}`, true);
  });
}

/** Looks at each call of a method before it is made. */
function before(prototype: object, name: string, look: (self: never, args: never) => void): void {
  const method = Reflect.get(prototype, name) as (this: unknown, ...args: unknown[]) => unknown;
  const seen = function (this: unknown, ...args: unknown[]): unknown {
    look(this as never, args as never);
    return method.apply(this, args);
  };
  Object.assign(prototype, { [name]: seen });
}

function pathOf(path: string): string {
  return path.split('?', 1)[0] ?? path;
}

function sentenceOf({ owner, call }: OutsideCall): string {
  return `${owner} calls ${call} with its transaction open: that is not undone with it, happens again when the handler runs again, and holds a connection as long as it takes. Make it a step; what may stay whatever becomes of the request goes into outsideTransaction(…)`;
}

function refuse(sentence: string): never {
  throw new Error(sentence);
}

const MOST_WARNINGS = 1_000;
