/** An order as a shop wants it. By `customerReference`, the shop's own name for it, its rows are found. */
export interface WantedOrder {
  items: { productId: string; quantity: number }[];
  customerReference: string;
}

/** What a caller knows of an order when its code has ended: it is placed, it is refused for good, or the caller has no answer. */
export type Told = { end: 'placed'; id: string } | { end: 'refused' } | { end: 'unanswered' };

/** Something that orders through a bad network: one order, one key. */
export interface Caller {
  /** Never throws. */
  order(order: WantedOrder): Promise<Told>;
  /** Comes back to what it had no answer of, and tells what became of it by its `customerReference`; those that can't have no such thing. */
  finish?(): Promise<Map<string, Told>>;
}

/** An order, and what its caller was told. */
export interface Story {
  order: WantedOrder;
  told: Told;
}

/** A row of `orders`. */
export interface OrderRow {
  id: string;
  customerReference: string;
}

/** What callers were told, held against the rows. */
export interface Books {
  placed: number;
  refused: number;
  unanswered: number;
  /** Of those without an answer: so many have an order all the same. */
  unansweredWithOrder: number;
  /** Orders beyond the first one of an intent. */
  duplicates: number;
  /** What somebody was told that isn't so, a sentence each. */
  lies: string[];
}

/** Every so manyth order is of the product that runs out, so that there are refusals to be true to. */
export const SCARCE_EVERY = 10;

/** What is ordered: much of it is there of one product, little of the other. */
export interface Shelf {
  plenty: string;
  scarce: string;
}

/** How much is ordered of what, under which name; `ended` hears how many orders have had their end. */
export interface Spree {
  count: number;
  shelf: Shelf;
  name: string;
  ended?: (orders: number) => void;
}

/** Lets every caller place one order after the other until there are so many of them. */
export async function letOrder(callers: readonly Caller[], { count, shelf, name, ended }: Spree): Promise<Story[]> {
  const stories: Story[] = [];
  let next = 0;
  const work = async (caller: Caller): Promise<void> => {
    while (next < count) {
      const number = next++;
      const productId = number % SCARCE_EVERY === 0 ? shelf.scarce : shelf.plenty;
      const order = { items: [{ productId, quantity: 1 }], customerReference: `${name}-${number}` };
      stories.push({ order, told: await caller.order(order) });
      ended?.(stories.length);
    }
  };
  await Promise.all(callers.map(work));
  return stories;
}

/** Has every caller come back to what it had no answer of; the stories as they are told then. */
export async function letFinish(callers: readonly Caller[], stories: readonly Story[]): Promise<Story[]> {
  const finished = await Promise.all(callers.map(async (caller) => [...((await caller.finish?.()) ?? [])]));
  const told = new Map(finished.flat());
  return stories.map((story) => ({ ...story, told: told.get(story.order.customerReference) ?? story.told }));
}

/** Compares what was told with what is there. */
export function judge(stories: readonly Story[], rows: readonly OrderRow[]): Books {
  const idsOf = new Map<string, string[]>();
  for (const { id, customerReference } of rows) idsOf.set(customerReference, [...(idsOf.get(customerReference) ?? []), id]);
  const books: Books = { placed: 0, refused: 0, unanswered: 0, unansweredWithOrder: 0, duplicates: 0, lies: [] };
  for (const { order, told } of stories) {
    const ids = idsOf.get(order.customerReference) ?? [];
    books[told.end] += 1;
    books.duplicates += Math.max(0, ids.length - 1);
    if (told.end === 'unanswered' && ids.length > 0) books.unansweredWithOrder += 1;
    if (told.end === 'refused' && ids.length > 0) books.lies.push(`${order.customerReference} is refused, and has the order ${ids.join()}`);
    if (told.end === 'placed' && !ids.includes(told.id)) {
      books.lies.push(`${order.customerReference} is told the order ${told.id}, and has ${ids.join() || 'none'}`);
    }
  }
  return books;
}
