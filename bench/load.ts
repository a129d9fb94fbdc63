import autocannon, { type Client } from 'autocannon';
import { freshOrder, type Prepared } from './requests.js';
import { percentile } from './statistics.js';
import type { Job, JobResult, Traffic } from './loader.js';

/** The process that makes the load, so that what it costs is not counted as the service's. Takes jobs over IPC, one at a time. */
const remembered = new Map<string, Prepared[]>();

process.on('message', (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ failure: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

async function run({ url, path, apiKey, connections, amount, perSecond, traffic }: Job): Promise<JobResult> {
  const next = requestsOf(traffic);
  const milliseconds: number[] = [];
  const statuses: Record<string, number> = {};
  const began = performance.now();
  let ended = began;
  const result = await autocannon({
    url,
    connections: Math.min(connections, amount),
    amount,
    sampleInt: 50,
    ...(perSecond && { overallRate: perSecond }),
    setupClient: (client: Client) => {
      client.on('response', (status: number, _bytes: number, duration: number) => {
        ended = performance.now();
        milliseconds.push(duration);
        statuses[status] = (statuses[status] ?? 0) + 1;
      });
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
  if (result.errors > 0) throw new Error(`${result.errors} of ${amount} requests had no answer`);
  return {
    requests: milliseconds.length,
    seconds: (ended - began) / 1_000,
    p50: percentile(milliseconds, 0.5),
    p99: percentile(milliseconds, 0.99),
    longest: Math.max(...milliseconds),
    statuses,
  };
}

/** What to send, one after the other. */
function requestsOf(traffic: Traffic): () => Prepared {
  if (traffic.kind === 'same') return () => traffic.request;
  if (traffic.kind === 'again') {
    const sent = remembered.get(traffic.of) ?? [];
    let at = 0;
    return () => sent[at++ % sent.length] as Prepared;
  }
  const list: Prepared[] = [];
  if (traffic.remember !== undefined) remembered.set(traffic.remember, list);
  return () => {
    const order = freshOrder(traffic.keys);
    if (traffic.remember !== undefined) list.push(order);
    return order;
  };
}
