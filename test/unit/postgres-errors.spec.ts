import { DatabaseError } from 'pg';
import { QueryFailedError } from 'typeorm';
import { databaseError, isConnectionLost, isRetryable } from '../../src/idempotency/postgres/errors.js';

function fromServer(code: string): DatabaseError {
  return Object.assign(new DatabaseError('message', 1, 'error'), { severity: 'ERROR', code });
}

const wrapped = (error: Error): Error => new QueryFailedError('SELECT 1', [], error);
const fromSocket = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

it.each(['40001', '40P01', '55P03'])('%s may simply run again, wrapped or not', (code) => {
  for (const error of [fromServer(code), wrapped(fromServer(code))]) {
    expect([isRetryable(error), isConnectionLost(error), databaseError(error)?.code]).toEqual([true, false, code]);
  }
});

it.each(['08006', '08003', '53300', '57P01', '57P02', '57P03', '57P05', '25P03'])('%s from the server is a lost connection', (code) => {
  for (const error of [fromServer(code), wrapped(fromServer(code))])
    expect([isRetryable(error), isConnectionLost(error)]).toEqual([false, true]);
});

it.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'])('%s from the socket is a lost connection', (code) => {
  for (const error of [fromSocket(code), wrapped(fromSocket(code))])
    expect([isRetryable(error), isConnectionLost(error)]).toEqual([false, true]);
});

it.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect', 'Client was closed and is not queryable'])(
  'node-postgres says "%s" of a lost connection',
  (message) => {
    for (const error of [new Error(message), wrapped(new Error(message))]) expect(isConnectionLost(error)).toBe(true);
  },
);

it.each(['23505', '22021', '42P01', 'P0001', '57014', '25P02'])('%s is neither', (code) => {
  for (const error of [fromServer(code), wrapped(fromServer(code))])
    expect([isRetryable(error), isConnectionLost(error)]).toEqual([false, false]);
});

it('an error that is no database error is neither, whatever it says', () => {
  for (const error of [new Error('40001'), new TypeError('x is not a function'), 'ECONNRESET', null, undefined, { code: '40001' }]) {
    expect([isRetryable(error), isConnectionLost(error), databaseError(error)]).toEqual([false, false, null]);
  }
});
