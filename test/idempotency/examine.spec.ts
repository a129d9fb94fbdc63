import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Body, CanActivate, Controller, Injectable, Post, UseGuards } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Pool } from 'pg';
import { DataSource, type Repository } from 'typeorm';
import { Idempotent, Tx, outsideTransaction, type Transaction } from '../../src/idempotency/index.js';
import { examineHandlers, type Finding } from '../../src/idempotency/testing/index.js';
import type { TestApp } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { Note, TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)';
const outside: { pool: Pool | undefined; url: string; mailed: number } = { pool: undefined, url: '', mailed: 0 };

interface Wish {
  text: string;
}

/** Books each visit, of a repetition as well. */
@Injectable()
class Books implements CanActivate {
  constructor(private readonly dataSource: DataSource) {}

  async canActivate(): Promise<boolean> {
    await this.dataSource.query(INSERT, [TENANT, 'a visit']);
    return true;
  }
}

/** One handler that is right, and one for each mistake. */
@Controller('examined')
class Examined {
  constructor(@InjectRepository(Note) private readonly notes: Repository<Note>) {}

  @Post('right')
  @Idempotent()
  async right(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    await tx.run({ name: 'examined-insert', text: INSERT }, [TENANT, text]);
    await this.notes.save({ tenantId: TENANT, text });
    await this.notes.update({ text }, { text: `${text} twice` });
    return { text };
  }

  @Post('other-pool')
  @Idempotent()
  async otherPool(@Body() { text }: Wish): Promise<object> {
    await outside.pool?.query(INSERT, [TENANT, text]);
    await this.notes.save({ tenantId: TENANT, text });
    return {};
  }

  @Post('on-purpose')
  @Idempotent()
  async onPurpose(@Body() { text }: Wish): Promise<object> {
    await outsideTransaction(() => this.notes.save({ tenantId: TENANT, text }));
    await this.notes.save({ tenantId: TENANT, text });
    return {};
  }

  @Post('calls')
  @Idempotent()
  async calls(): Promise<object> {
    await fetch(`${outside.url}/charges?card=4242`, { method: 'POST' }).then((response) => response.text());
    return {};
  }

  @Post('mails')
  @Idempotent()
  async mails(@Body() { text }: Wish): Promise<object> {
    outside.mailed += 1;
    await this.notes.save({ tenantId: TENANT, text });
    return {};
  }

  @Post('books')
  @UseGuards(Books)
  @Idempotent()
  async books(): Promise<object> {
    return {};
  }

  @Post('fails')
  @Idempotent()
  async fails(): Promise<object> {
    throw new Error('always');
  }

  @Post('forgotten')
  @Idempotent()
  async forgotten(): Promise<object> {
    return {};
  }
}

let database: TestDatabase;
let app: TestApp;
let server: Server;
let findings: Finding[];
beforeAll(async () => {
  database = await createDatabase();
  outside.pool = new Pool({ connectionString: database.url });
  server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  outside.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  app = await startLiftedApp(database, { controllers: [Examined], core: { join: true } });
  const example = (path: string, body: object = { text: 'x' }) => ({ path, body });
  findings = await examineHandlers(app.app, {
    headers: { 'x-tenant': TENANT },
    observe: () => outside.mailed,
    examples: {
      'NotesController.create': example('/notes'),
      'Examined.right': () => example('/examined/right'),
      'Examined.otherPool': example('/examined/other-pool'),
      'Examined.onPurpose': example('/examined/on-purpose'),
      'Examined.calls': example('/examined/calls'),
      'Examined.mails': example('/examined/mails'),
      'Examined.books': example('/examined/books'),
      'Examined.fails': example('/examined/fails'),
    },
  });
});
afterAll(async () => {
  await app.close();
  await outside.pool?.end();
  server.closeAllConnections();
  server.close();
  await database.drop();
});

const of = (handler: string) => findings.filter((finding) => finding.handler === handler).map(({ rule, detail }) => `${rule}: ${detail}`);

describe('the examination of handlers', () => {
  it.each(['NotesController.create', 'Examined.right'])('finds nothing in one that is right: %s', (handler) => {
    expect(of(handler)).toEqual([]);
  });

  it.each([
    ['a write by another pool', 'Examined.otherPool', /^undone: cut off before packet \d+ it has changed public\.notes$/],
    ['that it is a call to the outside', 'Examined.otherPool', /^no calls outside: SQL INSERT INTO notes/],
    ['what was put outside on purpose', 'Examined.onPurpose', /^undone: .* has changed public\.notes$/],
    ['an HTTP call, without its query', 'Examined.calls', /^no calls outside: fetch POST http:\/\/127\.0\.0\.1:\d+\/charges$/],
    ['what is seen beside the database', 'Examined.mails', /^undone: .* has changed what observe\(\) gives$/],
    ['a guard that writes', 'Examined.books', /^replays: a repetition changes public\.notes$/],
    ['the same when sent at once', 'Examined.books', /^one effect: requests at once changed rows of public\.notes by 5, one alone by 1$/],
    ['an example that fails', 'Examined.fails', /^succeeds: 500 /],
    ['that there is no example', 'Examined.forgotten', /^example: /],
  ])('finds %s', (_name, handler, finding) => {
    expect(of(handler)).toContainEqual(expect.stringMatching(finding));
  });

  it('leaves the application as it was', async () => {
    expect((await app.send('POST', '/examined/right', { body: { text: 'after' } })).status).toBe(201);
  });
});
