import { v7 as uuidv7 } from 'uuid';
import { NewKeyPredictor } from '../../src/idempotency/requests/new-key-predictor.js';

const young = () => uuidv7();
const old = () => uuidv7({ msecs: Date.now() - 5_000 });
const timeless = () => `cart-${Math.random()}`;

const sawMany = (novelty: NewKeyPredictor, key: () => string, isNew: boolean) => {
  for (let count = 0; count < 100; count += 1) novelty.record(key(), isNew);
};

describe('whether a key is expected to be new', () => {
  it('at first: a young UUIDv7 and a key without a time are, an old UUIDv7 is a retry', () => {
    const novelty = new NewKeyPredictor();
    expect([young, old, timeless].map((key) => novelty.predictsNew(key()))).toEqual([true, false, true]);
  });

  it.each([young, timeless])('not while most of its kind are stored already (%p)', (key) => {
    const novelty = new NewKeyPredictor();
    sawMany(novelty, key, false);
    expect(novelty.predictsNew(key())).toBe(false);
    sawMany(novelty, key, true);
    expect(novelty.predictsNew(key())).toBe(true);
  });

  it('also an old one, where clients make their keys long before they send them', () => {
    const novelty = new NewKeyPredictor();
    sawMany(novelty, old, true);
    expect([old, young].map((key) => novelty.predictsNew(key()))).toEqual([true, true]);
  });

  it('of each kind by itself: retries of old keys say nothing about young ones', () => {
    const novelty = new NewKeyPredictor();
    sawMany(novelty, old, false);
    sawMany(novelty, timeless, false);
    expect([young, timeless].map((key) => novelty.predictsNew(key()))).toEqual([true, false]);
  });
});
