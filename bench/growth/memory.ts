import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from './options.js';
import type { Stage } from './stage.js';

/** Memory at any later time, relative to that after the first 100,000 requests, at most. */
const MEMORY_GOAL = 1.1;

const BASELINE = 100_000;
const STEP = 50_000;
/** One in so many requests is a retry of an earlier one. */
const RETRIES = 10;
const QUIET_MS = 2_000;

/** Resident memory of the API's process, in bytes, after so many requests. */
export interface MemorySample {
  requests: number;
  residentBytes: number;
}

/** Memory over the requests of one process. */
export interface MemoryResult {
  requests: number;
  perSecond: number;
  samples: MemorySample[];
  /** What the later ones are compared to. */
  baseline: MemorySample;
  /** The last one, and the highest after the baseline, relative to it. */
  lastRatio: number;
  highestRatio: number;
  goal: number;
}

/** One process takes first requests, and some retries, as fast as they go; its memory is read after a moment of quiet. */
export async function measureMemory(stage: Stage, { memoryRequests }: Options): Promise<MemoryResult> {
  const database = await stage.database('memory');
  const api = await database.start();
  const step = Math.min(STEP, Math.ceil(memoryRequests / 4));
  const samples: MemorySample[] = [];
  let seconds = 0;
  stage.progress.step(`memory: ${memoryRequests} requests`);
  for (let done = 0; done < memoryRequests;) {
    const amount = Math.min(step, memoryRequests - done);
    const retries = Math.floor(amount / RETRIES);
    const fresh = { kind: 'fresh', keys: 'uuidv7', remember: 'memory' } as const;
    seconds += (await stage.load(api, { connections: 32, amount: amount - retries, traffic: fresh })).seconds;
    if (retries > 0)
      seconds += (await stage.load(api, { connections: 32, amount: retries, traffic: { kind: 'again', of: 'memory' } })).seconds;
    done += amount;
    await sleep(QUIET_MS);
    samples.push({ requests: done, residentBytes: api.resident() });
    stage.progress.count(done, memoryRequests, 'requests');
  }
  await database.drop();
  return { requests: memoryRequests, perSecond: memoryRequests / seconds, samples, ...compare(samples, memoryRequests) };
}

/** A run too short for the real baseline has one in its middle. */
function compare(samples: MemorySample[], total: number): Omit<MemoryResult, 'requests' | 'perSecond' | 'samples'> {
  const at = samples.findIndex(({ requests }) => requests >= Math.min(BASELINE, total / 2));
  const [baseline, ...later] = samples.slice(at);
  if (!baseline) throw new Error('there is no sample of the memory');
  const ratios = later.map(({ residentBytes }) => residentBytes / baseline.residentBytes);
  return { baseline, lastRatio: ratios.at(-1) ?? 1, highestRatio: Math.max(1, ...ratios), goal: MEMORY_GOAL };
}
