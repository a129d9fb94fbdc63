import { Loader } from './loader.js';
import { measure, type Sample } from './measure.js';
import { API_KEY } from './requests.js';
import { median } from './statistics.js';
import { World } from './world.js';

const rounds = Number(process.argv[2] ?? 5);
const amount = Number(process.argv[3] ?? 1500);
const world = await World.make();
const loader = new Loader();
const samples: Record<string, Sample[]> = {};
try {
  const services = {
    holdfast: await world.start('holdfast', '../src/main.js'),
    other: await world.start('other', '../src/main.js'),
    floor: await world.start('floor', 'variants/floor.js'),
    oneByOne: await world.start('oneByOne', 'variants/one-by-one.js'),
    inFlights: await world.start('inFlights', 'variants/in-flights.js'),
    static: await world.start('static', 'variants/static.js'),
  };
  const job = { path: '/v1/orders', apiKey: API_KEY, connections: 32, amount };
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of ['holdfast', 'floor', 'oneByOne', 'inFlights'] as const) {
      const service = services[name];
      const sample = await measure(service, world.postgres.pid, () =>
        loader.run({ ...job, url: service.url, traffic: { kind: 'fresh', keys: 'uuidv7', ...(name === 'holdfast' && { remember: 'r' }) } }),
      );
      if (round > 0) (samples[name] ??= []).push(sample);
    }
    const again = { kind: 'again', of: 'r' } as const;
    for (const [name, service] of [
      ['hot', services.holdfast],
      ['cold', services.other],
      ['static', services.static],
    ] as const) {
      const sample = await measure(service, world.postgres.pid, () => loader.run({ ...job, url: service.url, traffic: again }));
      if (round > 0) (samples[name] ??= []).push(sample);
    }
  }
  for (const [name, list] of Object.entries(samples)) {
    const of = (pick: (sample: Sample) => number): number => median(list.map(pick));
    console.log(
      name.padEnd(12),
      ...[
        of((s) => s.nodeUs),
        of((s) => s.postgresUs),
        of((s) => s.totalUs),
        of((s) => s.perSecond),
        of((s) => s.p50),
        of((s) => s.p99),
        of((s) => s.residentMb),
      ].map((n) => n.toFixed(1).padStart(9)),
    );
  }
  const ratio = (a: string, b: string) => median(samples[a]!.map((s, i) => s.totalUs / samples[b]![i]!.totalUs)).toFixed(2);
  console.log({
    firstVsFloor: ratio('holdfast', 'floor'),
    vsPlain: ratio('holdfast', 'oneByOne'),
    vsFlights: ratio('holdfast', 'inFlights'),
    hotVsStatic: ratio('hot', 'static'),
    coldVsHot: ratio('cold', 'hot'),
  });
} finally {
  loader.stop();
  await world.end();
}
