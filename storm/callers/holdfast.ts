import { HoldfastClient } from '../../client/src/index.js';
import type { OutcomeOf } from '../../client/src/api/types.js';
import type { Caller, Told, WantedOrder } from './orders.js';

/** A shop that orders by the client of this repository, without options but for the time of one attempt. */
export class Shop implements Caller {
  private readonly client: HoldfastClient;

  constructor(baseUrl: string, apiKey: string) {
    this.client = new HoldfastClient({ baseUrl, authorization: () => `Bearer ${apiKey}`, attemptTimeoutMs: 2_000 });
  }

  async order(order: WantedOrder): Promise<Told> {
    return toldBy(await this.client.orders.place(order));
  }

  /** What a shop does at its start. */
  async finish(): Promise<Map<string, Told>> {
    const told = new Map<string, Told>();
    for (let pending = await this.client.pending(); pending.length > 0; pending = await this.client.pending()) {
      for (const intent of pending) {
        const { customerReference } = intent.body as WantedOrder;
        told.set(customerReference, toldBy((await intent.send({ forget: true })) as OutcomeOf<'placeOrder'>));
      }
    }
    return told;
  }
}

function toldBy(outcome: OutcomeOf<'placeOrder'>): Told {
  if (outcome.kind === 'done') return { end: 'placed', id: outcome.body.id };
  return { end: outcome.kind === 'refused' ? 'refused' : 'unanswered' };
}
