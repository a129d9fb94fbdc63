import { createServer, get, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Body, Controller, Logger, Post } from '@nestjs/common';
import { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, Tx, outsideTransaction, type Transaction } from '../../src/idempotency/index.js';
import type { TestApp } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = { name: 'test-insert-note', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)' };

let server: Server;
let url: string;
let pool: Pool;

const CALLS: Record<'fetch' | 'http' | 'sql' | 'socket', () => Promise<unknown>> = {
  fetch: () => fetch(`${url}/there?secret=1`).then((response) => response.text()),
  http: async () => {
    const [response] = (await once(get(`${url}/there?secret=1`), 'response')) as [NodeJS.ReadableStream];
    response.resume();
    await once(response, 'end');
  },
  sql: () => pool.query('SELECT $1::text', ['secret']),
  socket: async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    await new Promise<void>((resolve) => socket.write('GET / HTTP/1.0\r\n\r\n', () => resolve()));
    socket.destroy();
  },
};
type Call = keyof typeof CALLS;

@Controller('calls')
class Calls {
  @Post()
  @Idempotent()
  async call(@Tx() tx: Transaction, @Body() { call, text, apart }: { call: Call; text: string; apart?: boolean }): Promise<object> {
    await tx.run(INSERT, [TENANT, text]);
    await (apart ? outsideTransaction(CALLS[call]) : CALLS[call]());
    // What an application prints is no call, wherever it goes.
    process.stderr.write('');
    return {};
  }
}

let database: TestDatabase;
let warned: string[];
beforeAll(async () => {
  database = await createDatabase();
  server = createServer((_request, response) => response.end('there')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  pool = new Pool({ connectionString: database.url });
});
afterAll(async () => {
  await pool.end();
  server.closeAllConnections();
  server.close();
  await database.drop();
});
beforeEach(() => {
  warned = [];
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((message: string) => void warned.push(message));
});
afterEach(() => jest.restoreAllMocks());

const start = (core: object): Promise<TestApp> => startLiftedApp(database, { controllers: [Calls], core: { join: true, ...core } });
const post = async (app: TestApp, call: Call, apart = false) => {
  const [key, text] = [uuidv7(), uuidv7()];
  const { status } = await app.send('POST', '/calls', { key, body: { call, text, apart } });
  const notes = await countOf(database, 'notes', 'text = $1', [text]);
  return { status, notes, records: (await recordsOf(database, key)).length };
};

const SAID: Record<Call, () => string> = {
  fetch: () => `POST /calls calls fetch GET ${url}/there with`,
  http: () => `POST /calls calls GET ${url}/there with`,
  sql: () => 'POST /calls calls SQL SELECT $1::text with',
  socket: () => `POST /calls calls ${url.replace('http://', '')} with`,
};

describe('a call to the outside with a transaction open', () => {
  it('is warned of by default, once for each call, without what may be secret', async () => {
    const app = await start({});
    for (const call of Object.keys(CALLS) as Call[]) {
      expect(await post(app, call)).toEqual({ status: 201, notes: 1, records: 1 });
      await post(app, call);
      expect(warned).toEqual([expect.stringContaining(SAID[call]())]);
      expect(warned[0]).not.toContain('secret');
      warned = [];
    }
    await app.close();
  });

  it('commits nothing where it is refused', async () => {
    const app = await start({ outsideCalls: 'refuse' });
    for (const call of Object.keys(CALLS) as Call[]) expect(await post(app, call)).toEqual({ status: 500, notes: 0, records: 0 });
    await app.close();
  });

  it('is nothing when it is put outside on purpose, nor outside of a handler', async () => {
    const app = await start({ outsideCalls: 'refuse' });
    for (const call of Object.keys(CALLS) as Call[]) {
      await CALLS[call]();
      expect(await post(app, call, true)).toEqual({ status: 201, notes: 1, records: 1 });
    }
    expect(warned).toEqual([]);
    await app.close();
  });

  it('is ignored in production, unless it is asked for', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    const app = await start({}).finally(() => (process.env['NODE_ENV'] = before));
    expect(await post(app, 'fetch')).toEqual({ status: 201, notes: 1, records: 1 });
    expect(warned).toEqual([]);
    await app.close();
  });
});
