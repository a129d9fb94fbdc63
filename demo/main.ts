import { inWorld } from '../local/in-world.js';
import { Progress } from '../src/kernel/progress.js';
import { holds, readBooks, reckon } from './books.js';
import { Narrator } from './narrator.js';
import { tellStory } from './story.js';
import { DemoWorld } from './world.js';

/** `npm run demo`: what can go wrong with an order and its payment does, and the books must say one of each. Exit code 1: they don't. */
const narrator = new Narrator();
const progress = new Progress();
await inWorld(
  () => new DemoWorld(),
  async (world) => {
    await world.open(progress);
    progress.end();
    narrator.title('Holdfast: one customer, one order, and everything in the way. A service of its own, which goes when this ends.');
    await tellStory(world, narrator);
    const books = await readBooks(world);
    const lines = reckon(books);
    narrator.reckoning(lines);
    const good = lines.every(holds);
    narrator.verdict(good, good ? 'One order, one charge.' : 'The books are wrong.');
    if (!good) process.exitCode = 1;
  },
);
