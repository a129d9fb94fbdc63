import autocannon, { type Client } from 'autocannon';
import type { Job, JobResult } from './loader.js';
import { Sender } from './sender.js';
import { Tally } from './tally.js';
import { BURST, Sequence } from './traffic.js';

/** The process that makes the load, so that what it costs is not counted as the service's. Takes jobs over IPC, one at a time. */
const sequence = new Sequence();

process.on('message', (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ failure: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

async function run(job: Job): Promise<JobResult> {
  const tally = new Tally();
  const bursts = job.traffic.kind === 'mixed' ? new Sender(job, BURST, tally) : undefined;
  const next = sequence.of(job.traffic, (request) => {
    for (let copy = 0; copy < BURST; copy += 1) bursts?.send(request);
  });
  await (job.perSecond === undefined ? saturate(job, tally, next) : pace(job, job.perSecond, tally, next));
  await bursts?.end();
  return { ...tally.result(), freshKeys: sequence.freshKeys };
}

type Next = ReturnType<Sequence['of']>;

/** As many as the service answers. */
async function saturate({ url, path, apiKey, connections, amount, seconds, traffic }: Job, tally: Tally, next: Next): Promise<void> {
  const own = traffic.kind === 'mixed' ? connections - BURST : connections;
  const instance = autocannon({
    url,
    connections: Math.min(own, amount),
    amount,
    sampleInt: 50,
    setupClient: (client: Client) => {
      client.on('response', (status: number, _bytes: number, duration: number) => tally.add(status, duration));
    },
    requests: [
      {
        method: 'POST',
        path,
        setupRequest: (request) => {
          const { key, body } = next();
          return {
            ...request,
            headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', 'idempotency-key': key },
            body,
          };
        },
      },
    ],
  });
  const limit = seconds === undefined ? undefined : setTimeout(() => stop(instance), seconds * 1_000);
  const { errors } = await instance;
  clearTimeout(limit);
  if (errors > 0) throw new Error(`${errors} of ${amount} requests had no answer`);
}

/** The promise is the running instance, too. */
function stop(instance: PromiseLike<unknown> & { stop?: () => void }): void {
  instance.stop?.();
}

/** One after the other at a fixed distance; autocannon would send a second's share at once and then be silent. */
async function pace(job: Job, perSecond: number, tally: Tally, next: Next): Promise<void> {
  const sender = new Sender(job, job.connections, tally);
  const amount = Math.min(job.amount, (job.seconds ?? Infinity) * perSecond);
  const began = performance.now();
  for (let sent = 0; sent < amount; sent += 1) {
    const early = began + (sent * 1_000) / perSecond - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    sender.send(next());
  }
  await sender.end();
}
