import { source as axe } from 'axe-core';
import type { Page } from 'playwright-core';
import { v7 as uuidv7 } from 'uuid';
import { addApiKey } from '../support/api-keys.js';
import { KEY_A } from '../support/app.js';
import { describeInBrowser } from '../support/browser.js';
import { flagPayment, keepFromRecoverer, settledDecisions } from '../support/decisions.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { startProcess, type ApiProcess } from '../support/process.js';
import { openConsole, type ConsolePage } from './support/console-page.js';

describeInBrowser('the console', (browser) => {
  let world: PaymentWorld;
  /** As it runs in production: what a browser reads is in the build alone. */
  let api: ApiProcess;
  beforeAll(async () => {
    world = await startPaymentWorld();
    api = await startProcess(world.database.url, world.env);
  });
  afterAll(async () => {
    await api?.kill('SIGTERM');
    await world?.close();
  });

  let opened: ConsolePage;
  const open = async (at = '', key: string | null = KEY_A, options: Parameters<typeof openConsole>[3] = {}): Promise<Page> => {
    opened = await openConsole(browser(), api.url, at, options);
    if (key !== null) await opened.signIn(key);
    return opened.page;
  };
  afterEach(async () => {
    await world.faults({});
    const offences = await opened.offences();
    const withKey = opened.asked.filter((address) => address.includes(KEY_A));
    await opened.close();
    expect({ offences, withKey }).toEqual({ offences: [], withKey: [] });
  });

  /** The lines of the timeline, without their times. */
  const lines = (page: Page): Promise<string[]> => page.locator('.timeline .what').allInnerTexts();
  const search = async (page: Page, text: string): Promise<void> => {
    await page.getByLabel('Idempotency key, operation or resource').fill(text);
    await page.getByRole('button', { name: 'Find' }).click();
  };

  describe('One story', () => {
    let key: string;
    let order: string;
    let payment: string;
    let operation: string;
    beforeAll(async () => {
      key = uuidv7();
      const placed = await world.placeOrder({ total: 2_501 });
      order = placed.id;
      const answer = await world.pay(placed, 'tok_visa', { key });
      payment = String(answer.body['id']);
      operation = String(answer.headers.get('operation-id'));
      await world.pay(placed, 'tok_visa', { key, headers: { 'retry-attempt': '2', 'retry-reason': 'timeout' } });
    });

    it.each([
      ['its key', () => key],
      ['its operation', () => operation],
      ['the payment that it made', () => payment],
    ])('tells a payment by %s: steps, provider, events, replay with its reason, expiry', async (_, what) => {
      const page = await open('#story');
      await search(page, what());
      await page.getByText('Key expires').waitFor();
      const told = await lines(page);
      expect(told.filter((line) => !line.startsWith('Event ')).slice(0, 4)).toEqual([
        'Key claimed POST /v1/payments',
        'Step begun payments.charge',
        expect.stringMatching(/^Provider answered payments\.charge/),
        'Answered 201',
      ]);
      expect(told).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^Event payment\.succeeded pay_.*€25\.01/),
          expect.stringMatching(/^Event order\.paid ord_/),
          'Stored answer given again once: timeout, up to attempt 2',
          expect.stringMatching(/^Key expires /),
        ]),
      );
    });

    it('lists all requests that changed an order, each a way to its story', async () => {
      const page = await open('#story');
      await search(page, order);
      await page.getByRole('heading', { name: `What was done with ${order}` }).waitFor();
      expect(await page.locator('.stories .badge').allInnerTexts()).toEqual(['answered 201', 'answered 201']);
      await page.getByRole('link', { name: operation }).click();
      await page.getByText('Step begun').waitFor();
      expect(page.url()).toBe(`${api.url}/console#story/${operation}`);
    });

    it('seals a key that nobody has used, and its request never executes', async () => {
      const unused = uuidv7();
      const page = await open('#story');
      await search(page, unused);
      await page.getByRole('button', { name: 'Seal this key' }).click();
      await page.getByText('no request with it will ever execute').first().waitFor();
      expect((await api.send('POST', '/v1/orders', { key: unused, body: { items: [{ productId: '123', quantity: 1 }] } })).status).toBe(
        409,
      );
    });

    it('settles what is flagged for review by the decision of a person, once', async () => {
      const flagged = await flagPayment(world, await world.placeOrder());
      await keepFromRecoverer(world, flagged.operation);
      const page = await open(`#story/${flagged.operation}`);
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByText('the provider still cannot tell').waitFor();
      await keepFromRecoverer(world, flagged.operation);
      await page.getByText('Decide it').click();
      await page.getByLabel('It did not happen').check();
      await page.getByLabel('How it was found out').fill('their support says so');
      await page.getByRole('button', { name: 'Decide', exact: true }).click();
      await page.getByText('Decided by a person').waitFor();
      expect(await settledDecisions(world, flagged.operation)).toBe(1);
      expect((await lines(page)).join('\n')).toContain('their support says so');
    });

    it('shows a problem, and what to do about it, to a key without the scope', async () => {
      const flagged = await flagPayment(world, await world.placeOrder());
      await keepFromRecoverer(world, flagged.operation);
      const page = await open(`#story/${flagged.operation}`, await addApiKey(world.database, ['operations:read']));
      await page.getByText('to read them, the API key needs webhooks:read').waitFor();
      await page.getByRole('button', { name: 'Resume' }).click();
      const problem = page.getByRole('alert');
      await problem.getByText('Use a key with that scope.').waitFor();
      expect(await problem.innerText()).toContain('This route needs the scope operations:write.');
    });
  });

  describe('Try it', () => {
    /** What a trial has to show for itself. */
    const trial = (page: Page, name: string): ReturnType<Page['getByRole']> => page.getByRole('region', { name });

    it('loses the answer of an order by cutting the connection, retries it by keyboard alone, and has one order', async () => {
      const orders = await countOf(world.database, 'orders');
      const page = await open('', null);
      const press = async (...keys: string[]): Promise<void> => {
        for (const each of keys) await page.keyboard.press(each);
      };
      /** Goes on with Tab until it is there, as somebody would who sees where the focus is. */
      const tabTo = async (name: string): Promise<void> => {
        for (let steps = 0; steps < 40; steps += 1) {
          await press('Tab');
          const focused = await page.evaluate<string>(
            `document.activeElement?.labels?.[0]?.textContent ?? document.activeElement?.textContent ?? ''`,
          );
          if (focused.includes(name)) return;
        }
        throw new Error(`the keyboard does not get to ${name}`);
      };
      await tabTo('API key');
      await page.keyboard.type(KEY_A);
      await press('Enter');
      await page.getByRole('button', { name: 'Forget it' }).waitFor();
      await press('Shift+Tab', 'Shift+Tab', 'Enter');
      await page.getByRole('heading', { name: 'Try it' }).waitFor();
      await trial(page, 'Lose the answer').waitFor();
      await tabTo('Place an order and lose the answer');
      await press('Enter');
      await page.getByText('then the connection was cut').waitFor();
      await tabTo('Retry with the same key');
      await press('Space');
      const effects = trial(page, 'Lose the answer').getByText(/^1 order read back/);
      await effects.waitFor();
      expect(await trial(page, 'Lose the answer').locator('.exchanges').innerText()).toMatch(
        /Retry-Attempt: 2[\s\S]*201[\s\S]*Idempotent-Replayed: true/,
      );
      expect(await countOf(world.database, 'orders')).toBe(orders + 1);
      const key = await trial(page, 'Lose the answer').locator('.trial-key code').innerText();
      expect(await recordsOf(world.database, key)).toHaveLength(1);
    });

    it('sends an order twice at once, and has one order', async () => {
      const orders = await countOf(world.database, 'orders');
      const page = await open('#try');
      await page.getByRole('button', { name: 'Send the order twice at once' }).click();
      await trial(page, 'Double-click').getByText('1 order read back from GET /v1/orders; both requests got the same one').waitFor();
      expect(await countOf(world.database, 'orders')).toBe(orders + 1);
    });

    it('pays with a provider that hangs, follows the 202 to its end, and has one charge', async () => {
      const charges = (await world.ledger()).charges.length;
      const page = await open('#try');
      await page.getByRole('button', { name: 'Pay an order with a provider that hangs' }).click();
      const shown = trial(page, 'A provider that hangs');
      await shown.getByText('1 payment that succeeded read back').waitFor();
      expect(await shown.locator('.exchanges').innerText()).toMatch(/202 · pay_\w+ · processing[\s\S]*201 · pay_\w+ · succeeded/);
      expect((await world.ledger()).charges.length).toBe(charges + 1);
      await shown.getByRole('link', { name: 'The whole story' }).click();
      await page.getByText('Put aside: the outcome is not known').waitFor();
    });

    it('shows the problem to a key that may place no order', async () => {
      const page = await open('#try', await addApiKey(world.database, ['operations:read', 'orders:read']));
      await page.getByRole('button', { name: 'Send the order twice at once' }).click();
      await page.getByRole('alert').getByText('Use a key with that scope.').waitFor();
      expect(await page.getByRole('alert').innerText()).toContain('This route needs the scope orders:write.');
    });
  });

  describe('Now', () => {
    it('shows what the process counts, without an API key, and stands still when it is asked to', async () => {
      const page = await open('', null);
      const row = page.getByRole('row', { name: /POST \/v1\/tickets executed/ });
      await api.send('POST', '/v1/tickets', { body: { subject: 'a', description: 'b', priority: 'low' } });
      await row.waitFor();
      expect(await row.innerText()).toMatch(/1$/);
      expect(await page.locator('.chart canvas').count()).toBe(await page.locator('.chart').count());
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByRole('button', { name: 'Go on' }).waitFor();
    });

    it('says where the figures are when they are not at this address', async () => {
      opened = await openConsole(browser(), api.url, '#try');
      await opened.page.route('**/metrics', (route) => route.fulfill({ status: 404, body: '' }));
      await opened.page.getByRole('link', { name: 'Now' }).click();
      const told = opened.page.getByText('There are no metrics at this address.');
      await told.waitFor();
      expect(await told.innerText()).toContain('Where INTERNAL_PORT is set, open /console there');
    });
  });

  describe('the API key', () => {
    it('is gone after a reload, and was nowhere but in memory', async () => {
      const page = await open('#story');
      await page.reload();
      await page.getByLabel('API key with operations:read').waitFor();
      expect(await page.getByLabel('API key with operations:read').inputValue()).toBe('');
      const kept = await page.evaluate(
        `indexedDB.databases().then(({ length }) => [localStorage.length, sessionStorage.length, document.cookie, length])`,
      );
      expect(kept).toEqual([0, 0, '', 0]);
    });

    it('that is wrong is refused with the reason, and is not kept', async () => {
      const page = await open('', null);
      await page.getByLabel('API key with operations:read').fill('hf_test_nonsense');
      await page.getByRole('button', { name: 'Use it' }).click();
      await page.getByRole('alert').getByText('Authentication failed').waitFor();
      expect(await page.getByRole('button', { name: 'Forget it' }).count()).toBe(0);
    });
  });

  it('text from the API stays text, whatever it looks like', async () => {
    const hostile = '<img src=x onerror="window.hostile=1"><script>window.hostile=1</script>';
    await api.send('PUT', '/v1/products/hostile', { key: null, body: { name: hostile, unitPrice: 100 } });
    const key = `<img/src=x/onerror=window.hostile=1>${uuidv7()}`;
    const page = await open('#try');
    await page.getByLabel('What is ordered').waitFor();
    expect(await page.getByLabel('What is ordered').locator('option').allInnerTexts()).toContain(`${hostile}, €1.00`);
    const body = { subject: hostile, description: hostile, priority: 'low' };
    const made = await api.send('POST', '/v1/tickets', { key, body, headers: { 'x-request-id': 'fine' } });
    expect(made.status).toBe(201);
    await page.getByRole('link', { name: 'One story' }).click();
    await search(page, key);
    await page.getByText('Event ticket.created').waitFor();
    await search(page, `${key}x`);
    await page.getByText(`${key}x`).waitFor();
    await search(page, `${key} with a blank`);
    await page.getByRole('alert').waitFor();
    expect(await page.evaluate(`[document.querySelectorAll('main img, main script').length, 'hostile' in window]`)).toEqual([0, false]);
  });

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    const width = { width: 320, height: 640 };

    it('every screen passes axe (WCAG 2.2 A and AA, contrast too), and fits 320 pixels', async () => {
      const order = await world.placeOrder();
      const paid = await world.pay(order);
      const page = await open('', KEY_A, { colorScheme, reducedMotion: 'reduce' });
      const look = async (): Promise<void> => {
        await page.evaluate(axe);
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
        const { violations } = await page.evaluate<{ violations: Violation[] }>(
          `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(tags)} } })`,
        );
        const said = violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`,
        );
        expect(said).toEqual([]);
        const large = page.viewportSize() ?? width;
        await page.setViewportSize(width);
        expect(await page.evaluate(`document.documentElement.scrollWidth`)).toBeLessThanOrEqual(width.width);
        await page.setViewportSize(large);
      };
      await page.locator('.tile').first().waitFor();
      await look();
      await page.getByRole('link', { name: 'One story' }).click();
      await search(page, String(paid.headers.get('operation-id')));
      await page.getByText('Event order.paid').waitFor();
      await look();
      await search(page, '');
      await page.getByRole('heading', { name: 'The latest requests' }).waitFor();
      await look();
      await page.getByRole('link', { name: 'Try it' }).click();
      await page.getByRole('button', { name: 'Send the order twice at once' }).click();
      await page.getByText('1 order read back').waitFor();
      await look();
    });
  });
});

interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}
