import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Harness, eventually, freshKey } from './harness.js';

const sandbox = new Harness();

describe('webhooks', () => {
  const secret = `whsec_${Buffer.from('a secret of at least 24 bytes').toString('base64')}`;
  const received: { headers: IncomingMessage['headers']; body: string }[] = [];
  let answers: number[] = [];
  let receiver: Server;
  let webhook: { url: string; secret: string };

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        received.push({ headers: request.headers, body });
        response.writeHead(answers.shift() ?? 204).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    webhook = { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`, secret };
    await sandbox.restart({ webhook });
  });
  beforeEach(() => void received.splice(0));
  afterAll(async () => {
    await sandbox.restart();
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  });

  const eventOf = (index: number) =>
    JSON.parse(received[index]?.body ?? 'null') as { id: string; type: string; data: Record<string, unknown> };

  it('sends one event per effect, signed as Standard Webhooks say, and none for a repeat', async () => {
    const [key, declinedKey, refundKey] = [freshKey(), freshKey(), freshKey()];
    const begun = Math.floor(Date.now() / 1000);
    const { body } = await sandbox.charge(key);
    await sandbox.charge(key);
    await sandbox.charge(declinedKey, 'tok_declined');
    const refund = await sandbox.post('/refunds', refundKey, { reference: 'r', chargeId: body['id'], amount: 1 });
    await eventually(() => expect(received).toHaveLength(3));
    await sleep(100);
    expect(received).toHaveLength(3);
    const events = received.map((_request, index) => eventOf(index)).sort((one, other) => one.type.localeCompare(other.type));
    expect(events).toMatchObject([
      {
        type: 'charge.declined',
        data: { key: declinedKey, status: 'declined', declineCode: 'card_declined', reference: `ref-${declinedKey}` },
      },
      { type: 'charge.succeeded', data: { ...body, key } },
      { type: 'refund.succeeded', data: { ...refund.body, key: refundKey } },
    ]);
    for (const { headers, body: raw } of received) {
      const [id, timestamp] = [String(headers['webhook-id']), String(headers['webhook-timestamp'])];
      const hmac = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64')).update(`${id}.${timestamp}.${raw}`);
      expect(headers['webhook-signature']).toBe(`v1,${hmac.digest('base64')}`);
      expect((JSON.parse(raw) as { id: string }).id).toBe(id);
      expect(Number(timestamp)).toBeGreaterThanOrEqual(begun);
      expect(Number(timestamp)).toBeLessThanOrEqual(Date.now() / 1000);
    }
  });

  it('tries again with the same event until it is accepted, also after a restart', async () => {
    answers = [500, 302];
    await sandbox.charge(freshKey());
    await eventually(() => expect(received).toHaveLength(1));
    await sandbox.restart({ webhook });
    await eventually(() => expect(received).toHaveLength(3));
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    await eventually(async () => expect(await sandbox.database.query('SELECT FROM events')).toEqual([]));
  });
});
