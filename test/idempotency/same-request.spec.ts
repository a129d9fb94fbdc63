import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Body, Controller, Post, Req, UploadedFile, UseInterceptors, type NestApplicationOptions } from '@nestjs/common';
import { ExpressAdapter, FileInterceptor } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, Tx, type Transaction } from '../../src/idempotency/index.js';
import type { TestApp } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = { name: 'test-insert-note', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)' };

interface Stamped {
  text?: string;
  sentAt?: string;
}

@Controller('uploads')
class Uploads {
  /** As applications with Express take files. */
  @Post('express')
  @UseInterceptors(FileInterceptor('file'))
  @Idempotent()
  async express(@Tx() tx: Transaction, @UploadedFile() file: { buffer: Buffer }): Promise<object> {
    await tx.run(INSERT, [TENANT, file.buffer.toString()]);
    return { stored: file.buffer.toString() };
  }

  /** By the request itself, as plug-ins of Fastify do. */
  @Post('fastify')
  @Idempotent()
  async fastify(@Tx() tx: Transaction, @Req() { raw }: { raw: IncomingMessage }): Promise<object> {
    const chunks: Buffer[] = [];
    for await (const chunk of raw) chunks.push(chunk as Buffer);
    const [, text = ''] = /\r\n\r\n([^\r]*)\r\n/.exec(Buffer.concat(chunks).toString()) ?? [];
    await tx.run(INSERT, [TENANT, text]);
    return { stored: text };
  }

  @Post('bytes')
  @Idempotent()
  async bytes(@Tx() tx: Transaction, @Body() body: Buffer): Promise<object> {
    await tx.run(INSERT, [TENANT, body.toString()]);
    return { stored: body.toString() };
  }

  @Post('json')
  @Idempotent()
  async json(@Tx() tx: Transaction, @Body() { text }: Stamped): Promise<object> {
    await tx.run(INSERT, [TENANT, text]);
    return { stored: text };
  }

  @Post('selected')
  @Idempotent({ sameRequest: (request) => ({ text: (request as { body: Stamped }).body.text }) })
  async selected(@Tx() tx: Transaction, @Body() { text }: Stamped): Promise<object> {
    await tx.run(INSERT, [TENANT, text]);
    return { stored: text };
  }
}

const digestOf = (body: string, algorithm = 'sha-256'): string =>
  `${algorithm}=:${createHash(algorithm.replace('-', '')).update(body).digest('base64')}:`;

/** One file in a form, with the boundary of this one. */
const upload = (text: string): string =>
  `--here\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${text}\r\n--here--\r\n`;

const raw: NestApplicationOptions = { rawBody: true };

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const notes = (text: string) => countOf(database, 'notes', 'text = $1', [text]);

describe.each([
  ['express', () => new ExpressAdapter()],
  ['fastify', () => new FastifyAdapter()],
] as const)('on %s', (platform, adapter) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startLiftedApp(database, {
      controllers: [Uploads],
      adapter: adapter(),
      application: raw,
      configure: (nest) => {
        if (platform === 'express') {
          (nest as unknown as { useBodyParser(name: string, options: object): void }).useBodyParser('raw', { type: 'application/pdf' });
          return;
        }
        const instance = nest.getHttpAdapter().getInstance();
        instance.addContentTypeParser('multipart/form-data', (_request, _payload, done) => done(null, undefined));
        instance.addContentTypeParser('application/pdf', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      },
    });
  });
  afterAll(() => app.close());

  const send = async (path: string, key: string, body: string, headers: Record<string, string>) => {
    const all = { 'idempotency-key': key, 'x-tenant': TENANT, ...headers };
    const answer = await fetch(`${app.url}/uploads/${path}`, { method: 'POST', headers: all, body });
    const text = await answer.text();
    return { status: answer.status, replayed: answer.headers.get('idempotent-replayed'), body: JSON.parse(text) as Record<string, string> };
  };
  const sendFile = (key: string, text: string, digest?: string) =>
    send(platform, key, upload(text), {
      'content-type': 'multipart/form-data; boundary=here',
      ...(digest !== undefined && { 'content-digest': digest }),
    });

  it('a file is known by its Content-Digest: the same one has the first answer, another one never', async () => {
    const [key, one, other] = [uuidv7(), uuidv7(), uuidv7()];
    const first = await sendFile(key, one, digestOf(upload(one)));
    expect(first).toMatchObject({ status: 201, replayed: null, body: { stored: one } });
    expect(await sendFile(key, one, digestOf(upload(one)))).toMatchObject({ status: 201, replayed: 'true', body: { stored: one } });
    expect(await sendFile(key, other, digestOf(upload(other)))).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
    expect([await notes(one), await notes(other)]).toEqual([1, 0]);
  });

  it.each([
    ['none', () => undefined],
    ['one of an algorithm that proves nothing', () => 'md5=:1B2M2Y8AsgTpgAmY7PhCfg==:'],
    ['one of the wrong length', () => 'sha-256=:AAAA:'],
    ['one that breaks the rules of its syntax', (body: string) => `${digestOf(body)},`],
  ])('without a digest a file is refused, and nothing is stored: %s', async (_name, digest) => {
    const [key, text] = [uuidv7(), uuidv7()];
    expect(await sendFile(key, text, digest(upload(text)))).toMatchObject({ status: 400, body: { code: 'content-digest-required' } });
    expect([await notes(text), await recordsOf(database, key)]).toEqual([0, []]);
  });

  it('a file that is not what its digest says has no effect, and leaves the key unused', async () => {
    const [key, text] = [uuidv7(), uuidv7()];
    const wrong = await sendFile(key, text, digestOf('something else'));
    expect(wrong).toMatchObject({ status: 400, body: { code: 'content-digest-mismatch' } });
    expect([await notes(text), await recordsOf(database, key)]).toEqual([0, []]);
    const digests = `unixsum=30637, ${digestOf(upload(text), 'sha-512')};q=1 , id="a, b", ${digestOf(upload(text))}`;
    expect((await sendFile(key, text, digests)).status).toBe(201);
    expect(await notes(text)).toBe(1);
  });

  it('bytes at hand count by themselves', async () => {
    const [key, text] = [uuidv7(), uuidv7()];
    const pdf = { 'content-type': 'application/pdf' };
    expect(await send('bytes', key, text, pdf)).toMatchObject({ status: 201, body: { stored: text } });
    expect(await send('bytes', key, text, pdf)).toMatchObject({ status: 201, replayed: 'true' });
    expect((await send('bytes', key, `${text} other`, pdf)).status).toBe(422);
    expect(await notes(text)).toBe(1);
  });

  it('a digest of JSON is checked, and is no part of what counts', async () => {
    const [key, text] = [uuidv7(), uuidv7()];
    const json = { 'content-type': 'application/json' };
    const body = JSON.stringify({ text });
    expect(await send('json', key, body, { ...json, 'content-digest': digestOf('{}') })).toMatchObject({
      status: 400,
      body: { code: 'content-digest-mismatch' },
    });
    expect((await send('json', key, body, { ...json, 'content-digest': digestOf(body) })).status).toBe(201);
    expect(await send('json', key, `${body} `, json)).toMatchObject({ status: 201, replayed: 'true' });
    expect(await notes(text)).toBe(1);
  });

  it('what a route selects is what counts, beside method and path', async () => {
    const [key, text] = [uuidv7(), uuidv7()];
    const json = { 'content-type': 'application/json' };
    const at = (sentAt: string, more = '') => send(`selected${more}`, key, JSON.stringify({ text, sentAt }), json);
    expect(await at('now')).toMatchObject({ status: 201, replayed: null });
    expect(await at('later', '?again=1')).toMatchObject({ status: 201, replayed: 'true' });
    expect((await send('selected', key, JSON.stringify({ text: 'other' }), json)).status).toBe(422);
    expect((await send('json', key, JSON.stringify({ text }), json)).status).toBe(422);
    expect(await notes(text)).toBe(1);
  });

  it('a route that selects nothing of what there is answers 500, and executes nothing', async () => {
    const key = uuidv7();
    const answer = await send('selected', key, JSON.stringify({ sentAt: 'now' }), { 'content-type': 'application/json' });
    expect([answer.status, await recordsOf(database, key)]).toEqual([500, []]);
  });
});
