import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Destinations, isPublic } from '../../src/webhooks/destinations.js';
import { sendMessage, type Outcome } from '../../src/webhooks/sender.js';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

function sendTo(url: string, destinations: Destinations): Promise<Outcome> {
  return sendMessage({ url, id: 'evt_1', body: '{}', secrets: [SECRET], traceparent: null }, destinations, new AbortController().signal);
}

describe('addresses', () => {
  const closed = `
    0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1
    192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 3fff::1
    5f00::1 fc00::1 fd12::1 fe80::1 fe80::1%lo fec0::1 ff02::1 name`;

  it.each(closed.trim().split(/\s+/))('%s is closed', (address) => {
    expect(isPublic(address)).toBe(false);
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450::1',
  ])('%s is open', (address) => {
    expect(isPublic(address)).toBe(true);
  });
});

describe('URLs', () => {
  const none = new Destinations([]);
  it.each([
    'http://example.com/',
    'https://user@example.com/',
    'https://:word@example.com/',
    'https://example.com/#part',
    'ftp://example.com/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://017700000001/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://169.254.169.254/latest/meta-data',
    'nonsense',
  ])('%s is refused', (url) => {
    expect(none.flawOf(url)).not.toBeNull();
  });

  it.each(['https://example.com/', 'https://example.com:8443/a?b=c', 'https://1.1.1.1/', 'https://[2606:4700::1111]/'])(
    '%s is taken',
    (url) => {
      expect(none.flawOf(url)).toBeNull();
    },
  );

  it('the allow-list opens what it names, to http as well', () => {
    const some = new Destinations(['10.0.0.0/8', '::1', 'receiver:8080', 'Anywhere.test']);
    const taken = ['http://10.2.3.4/', 'http://[::1]:9/', 'http://receiver:8080/', 'http://anywhere.test:1/'];
    const refused = ['http://11.2.3.4/', 'http://[::2]/', 'http://receiver:8081/', 'http://receiver/', 'http://x.anywhere.test/'];
    expect(taken.map((url) => some.flawOf(url))).toEqual(taken.map(() => null));
    expect(refused.map((url) => some.flawOf(url))).not.toContain(null);
  });
});

describe('connections', () => {
  let port: number;
  let hits = 0;
  const server = createServer((_request, response) => {
    hits++;
    response.end();
  });
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  beforeEach(() => {
    hits = 0;
  });
  afterAll(() => server.close());

  it.each([
    ['an address', () => `http://127.0.0.1:${port}/`],
    ['an IPv6 address with an IPv4 address in it', () => `http://[::ffff:127.0.0.1]:${port}/`],
    ['a name', () => `http://localhost:${port}/`],
  ])('to %s that is closed are not made', async (_what, url) => {
    expect(await sendTo(url(), new Destinations([]))).toMatchObject({ status: null, error: 'address-refused' });
    expect(hits).toBe(0);
  });

  it.each([
    ['one of them closed', ['1.1.1.1', '127.0.0.1']],
    ['IPv4-mapped', ['::ffff:127.0.0.1']],
    ['of the metadata service', ['169.254.169.254']],
  ])('to a name with addresses %s are not made', async (_what, addresses) => {
    const resolving = new Destinations([], (_name, answer) =>
      answer(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
    );
    expect(await sendTo(`http://rebound.test:${port}/`, resolving)).toMatchObject({ status: null, error: 'address-refused' });
    expect(hits).toBe(0);
  });

  it('a name that resolves to another address each time leads to the one that was judged, or nowhere', async () => {
    const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.1'];
    let asked = 0;
    // 127.0.0.1 stands for a public address here, and 127.0.0.2 for a closed one.
    const rebinding = new Destinations(['127.0.0.1'], (_name, answer) => answer(null, [{ address: answers[asked++] ?? '', family: 4 }]));
    const url = `http://rebound.test:${port}/`;
    expect(await sendTo(url, rebinding)).toMatchObject({ status: 200 });
    expect(asked).toBe(1);
    expect(await sendTo(url, rebinding)).toMatchObject({ status: null, error: 'address-refused' });
    expect([asked, hits]).toEqual([2, 1]);
  });
});
