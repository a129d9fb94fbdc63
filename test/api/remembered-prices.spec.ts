import { v7 as uuidv7 } from 'uuid';
import { atOnce, startWorld, tally, type TestApp, type TestResponse } from '../support/app.js';
import { ACCOUNT_A, addProduct, countOf, recordsOf, stockOf } from '../support/ledger.js';
import { hold, untilBlocked } from '../support/locks.js';
import { expectProblem } from '../support/problems.js';

/** A process remembers names and prices; what is remembered never decides by itself. */
let world: Awaited<ReturnType<typeof startWorld>>;
let product: string;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  product = await addProduct(world.database);
  // From here on the process remembers it.
  expect((await place()).status).toBe(201);
});
afterAll(() => world.close());

const place = (more: object = {}, key = uuidv7(), quantity = 1): Promise<TestResponse> =>
  world.send('POST', '/v1/orders', { key, body: { items: [{ productId: product, quantity }], ...more } });
const change = (assignment: string) =>
  world.database.query(`UPDATE products SET ${assignment} WHERE account_id = $1 AND id = $2`, [ACCOUNT_A, product]);

function stoppable(): { signal: AbortSignal; enough: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, enough: () => controller.abort() };
}

it('an order after a change has the new name and price', async () => {
  await change(`unit_price = 4321, name = 'Other'`);
  const { body } = await place();
  expect(body).toMatchObject({ total: 4321, items: [{ name: 'Other', unitPrice: 4321 }] });
  expect(await stockOf(world.database, product)).toBe(998);
});

it('the total that the buyer was shown is compared with the present price', async () => {
  const { body: before } = await place();
  await change('unit_price = 4321');
  expect((await place({ expectedTotal: 4321 })).status).toBe(201);
  await change('unit_price = 5432');
  const key = uuidv7();
  expectProblem(await place({ expectedTotal: before['total'] as number }, key), 'total-mismatch');
  expect(await recordsOf(world.database, key)).toMatchObject([{ response_status: 422 }]);
});

it('a product that has gone is an unknown one, and nothing is ordered', async () => {
  await world.database.query('DELETE FROM products WHERE account_id = $1 AND id = $2', [ACCOUNT_A, product]);
  const key = uuidv7();
  expectProblem(await place({}, key), 'unknown-product');
  expect(await countOf(world.database, 'order_items', 'product_id = $1', [product])).toBe(1);
  expectProblem(await place({}, key), 'unknown-product');
});

it('what is not in stock any more is refused, stored and replayed', async () => {
  await change('stock = 2');
  const key = uuidv7();
  expectProblem(await place({}, key, 3), 'insufficient-stock');
  const again = await place({}, key, 3);
  expectProblem(again, 'insufficient-stock');
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(await stockOf(world.database, product)).toBe(2);
});

it('prices that change all the time never mix: each order has one of them, and its total', async () => {
  const { signal, enough } = stoppable();
  const changes = (async () => {
    for (let price = 100; !signal.aborted; price += 1) await change(`unit_price = ${price}, name = 'at ${price}'`);
  })();
  const answers = await atOnce(60, () => place()).finally(enough);
  await changes;
  expect(tally(answers)).toEqual({ 201: 60 });
  for (const { body } of answers) {
    const [item] = body['items'] as { name: string; unitPrice: number }[];
    if (item?.name.startsWith('at ')) expect(item.name).toBe(`at ${item.unitPrice}`);
    expect(body['total']).toBe(item?.unitPrice);
  }
  expect(await stockOf(world.database, product)).toBe(939);
});

describe('what another replica changes', () => {
  let other: TestApp;
  beforeAll(async () => {
    other = await world.secondApp();
  });

  const put = (unitPrice: number): Promise<TestResponse> =>
    world.send('PUT', `/v1/products/${product}`, { body: { name: `at ${unitPrice}`, unitPrice } });
  const orderThere = (): Promise<TestResponse> =>
    other.send('POST', '/v1/orders', { body: { items: [{ productId: product, quantity: 1 }] } });

  it('no order that is sent after a PUT has an earlier price, and none a price that never was', async () => {
    let acknowledged = 100;
    const { signal, enough } = stoppable();
    const puts = (async () => {
      for (let price = 101; !signal.aborted; price += 1) {
        expect((await put(price)).status).toBe(200);
        acknowledged = price;
      }
    })();
    for (let round = 0; round < 12; round += 1) {
      const before = acknowledged;
      for (const { status, body } of await atOnce(6, orderThere)) {
        expect(status).toBe(201);
        const [item] = body['items'] as { name: string; unitPrice: number }[];
        expect(item?.unitPrice).toBeGreaterThanOrEqual(before);
        if (item && item.unitPrice > 100) expect(item.name).toBe(`at ${item.unitPrice}`);
        expect(body['total']).toBe(item?.unitPrice);
      }
    }
    enough();
    await puts;
  });

  // The change is made and not committed yet: the order has read or remembered what was before it, and waits with its last flight.
  it.each([
    ['remembers', true],
    ['has never seen', false],
  ])('an order that a PUT overtakes, on a replica that %s the product, has the new price', async (_how, remembers) => {
    if (remembers) expect((await orderThere()).status).toBe(201);
    const change = await hold(
      world.database,
      `UPDATE products SET unit_price = 777, name = 'New', version = version + 1 WHERE account_id = $1 AND id = $2`,
      [ACCOUNT_A, product],
    );
    const waiting = orderThere();
    await untilBlocked(world.database);
    await change.commit();
    expect((await waiting).body).toMatchObject({ total: 777, items: [{ name: 'New', unitPrice: 777 }] });
  });

  it.each([
    ['remembers', true],
    ['has never seen', false],
  ])('an order that a DELETE overtakes, on a replica that %s the product, finds no product', async (_how, remembers) => {
    if (remembers) expect((await orderThere()).status).toBe(201);
    const before = await stockOf(world.database, product);
    const change = await hold(world.database, `UPDATE products SET deleted_at = now() WHERE account_id = $1 AND id = $2`, [
      ACCOUNT_A,
      product,
    ]);
    const waiting = orderThere();
    await untilBlocked(world.database);
    await change.commit();
    expectProblem(await waiting, 'unknown-product');
    expect(await stockOf(world.database, product)).toBe(before);
  });

  it('right after a DELETE nothing is sold, anywhere', async () => {
    expect((await orderThere()).status).toBe(201);
    expect((await world.send('DELETE', `/v1/products/${product}`)).status).toBe(204);
    for (const answer of await atOnce(4, orderThere)) expectProblem(answer, 'unknown-product');
    expect((await put(5)).status).toBe(201);
    expect((await orderThere()).body['total']).toBe(5);
  });
});
