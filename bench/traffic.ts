import { v7 as uuidv7 } from 'uuid';
import type { Traffic } from './loader.js';
import { freshOrder, type KeyStyle, type Prepared } from './requests.js';

/** How many equal requests a burst of the mix sends at once. */
export const BURST = 50;
/** A burst comes with every so many requests, beside them. */
const BURST_EVERY = 250;
/** An earlier request of the mix is one with so many after it: it has its answer. */
const SETTLED = 64;

/** What to send, job after job. */
export class Sequence {
  /** How many different keys the latest job has sent that no earlier one had. */
  freshKeys = 0;
  private readonly remembered = new Map<string, Prepared[]>();

  /** The next request of a job, each time it is called; `burst` is called with a request that goes out many times at once. */
  of(traffic: Traffic, burst: (request: Prepared) => void): () => Prepared {
    this.freshKeys = 0;
    if (traffic.kind === 'same') return () => traffic.request;
    if (traffic.kind === 'again') return inTurn(this.remembered.get(traffic.of) ?? []);
    if (traffic.kind === 'list') return inTurn(traffic.requests);
    if (traffic.kind === 'batches') return () => this.batch(traffic.orders);
    if (traffic.kind === 'mixed') return this.mix(burst);
    const list: Prepared[] = [];
    if (traffic.remember !== undefined) this.remembered.set(traffic.remember, list);
    return () => {
      const order = this.fresh(traffic.keys);
      if (traffic.remember !== undefined) list.push(order);
      return order;
    };
  }

  private fresh(style: KeyStyle): Prepared {
    this.freshKeys += 1;
    return freshOrder(style);
  }

  private batch(count: number): Prepared {
    const orders = Array.from({ length: count }, () => {
      const { key, body } = this.fresh('uuidv7');
      return { idempotencyKey: key, ...(JSON.parse(body) as object) };
    });
    return { key: uuidv7(), body: JSON.stringify({ atomic: false, orders }) };
  }

  private mix(burst: (request: Prepared) => void): () => Prepared {
    const sent: Prepared[] = [];
    let count = 0;
    return () => {
      count += 1;
      if (count % BURST_EVERY === 0) burst(this.fresh('uuidv7'));
      const earlier = sent[Math.floor(Math.random() * (sent.length - SETTLED))];
      if (earlier && count % 10 === 0) return earlier;
      if (earlier && count % 100 === 51) return { key: earlier.key, body: earlier.body.replaceAll('"quantity":1', '"quantity":2') };
      const order = this.fresh('uuidv7');
      sent.push(order);
      return order;
    };
  }
}

function inTurn(requests: readonly Prepared[]): () => Prepared {
  let at = 0;
  return () => {
    const request = requests[at % requests.length];
    at += 1;
    if (!request) throw new Error('there is nothing to send');
    return request;
  };
}
