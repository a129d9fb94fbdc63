import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { inWorld } from '../local/in-world.js';
import { generateApiKey } from '../src/accounts/api-key.js';
import { Progress } from '../src/kernel/progress.js';
import { HOLDFAST } from './context.js';
import { API_KEY } from './requests.js';
import type { Service } from './service.js';
import { percentile, rounded } from './statistics.js';
import { World } from './world.js';

/**
 * How long others wait while 600 connections send API keys that nobody has: with a checksum, which costs the service a look at
 * the database, and without one, which doesn't. Each comes from another address, through a proxy: one address is blocked after 300.
 */
const CONNECTIONS = 600;
const SECONDS = 10;
/** Made before, so that making them takes no time from what is measured. */
const KEYS = 20_000;
/** Readiness is answered within so many milliseconds, at the worst. */
const GOAL_MS = 100;
const FLOODS = ['no checksum', 'checksum'] as const;

const READY = '/health/ready';

type Flood = (typeof FLOODS)[number];
interface Job {
  url: string;
  flood: Flood;
  /** Answers so far. */
  answers: SharedArrayBuffer;
}

if (isMainThread) await measure();
else flood(workerData as Job);

async function measure(): Promise<void> {
  const progress = new Progress(1 + FLOODS.length);
  await inWorld(
    () => new World(),
    async (world) => {
      await world.prepare(1_000);
      const service = await world.start('holdfast', HOLDFAST, { TRUST_PROXY: '127.0.0.1' });
      progress.step('alone');
      process.stdout.write(`alone: ${await probe(service)}\n`);
      for (const kind of FLOODS) {
        progress.step(`${CONNECTIONS} connections, ${kind}`);
        process.stdout.write(`${await measureBeside(service, kind)}\n`);
      }
    },
  );
}

async function measureBeside(service: Service, kind: Flood): Promise<string> {
  const answers = new SharedArrayBuffer(4);
  const worker = new Worker(new URL(import.meta.url), { workerData: { url: service.url, flood: kind, answers } satisfies Job });
  await sleep(2_000);
  const [before, cpu] = [countOf(answers), service.cpu()];
  const waited = await probe(service);
  const refused = countOf(answers) - before;
  const each = rounded((service.cpu() - cpu) / refused);
  await worker.terminate();
  await sleep(1_000);
  return `${CONNECTIONS} connections, ${kind}: ${waited}; ${Math.round(refused / SECONDS)} refused/s, ${each} µs CPU each`;
}

/** Asks for readiness and for a list, each every 50 ms, and says how long that took. */
async function probe({ url }: Service): Promise<string> {
  const times: Record<string, number[]> = {};
  const end = performance.now() + SECONDS * 1_000;
  const ask = async (path: string): Promise<void> => {
    const waited = (times[path] ??= []);
    while (performance.now() < end) {
      const began = performance.now();
      const answer = await fetch(url + path, { headers: { authorization: `Bearer ${API_KEY}` } });
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status}`);
      waited.push(performance.now() - began);
      await sleep(50);
    }
  };
  await Promise.all([ask(READY), ask('/v1/orders?limit=1')]);
  const worst = Math.max(...(times[READY] ?? []));
  const said = (waited: number[]): string => [0.5, 0.99, 1].map((share) => rounded(percentile(waited, share))).join(' / ');
  const all = Object.entries(times).map(([path, waited]) => `${path} ${said(waited)} ms (median / p99 / worst)`);
  return [...all, `readiness within ${GOAL_MS} ms: ${worst < GOAL_MS ? 'yes' : 'no'}`].join(', ');
}

function countOf(answers: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(answers), 0);
}

/** Each connection sends the next key as soon as it has heard about the last one. */
function flood({ url, flood: kind, answers }: Job): void {
  const { hostname, port } = new URL(url);
  const requests = Array.from({ length: KEYS }, (_, n) => {
    const { text, id } = generateApiKey('test');
    const key = kind === 'checksum' ? text : text.replace(id, `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`);
    return `GET /v1/orders HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 10.1.${n >> 8}.${n & 255}\r\nauthorization: Bearer ${key}\r\n\r\n`;
  });
  const counter = new Int32Array(answers);
  let next = 0;
  const open = (): void => {
    const socket = connect(Number(port), hostname);
    const send = (): void => void socket.write(requests[(next += 1) % KEYS] ?? '');
    socket.on('connect', send).on('data', () => {
      Atomics.add(counter, 0, 1);
      send();
    });
    // Whoever is shown the door comes back.
    socket.on('error', () => undefined).on('close', open);
  };
  for (let n = 0; n < CONNECTIONS; n += 1) open();
}
