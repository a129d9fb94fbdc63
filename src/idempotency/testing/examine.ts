import { randomUUID } from 'node:crypto';
import { RequestMethod, type INestApplication } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { markedHandlers } from '../marked-handlers.js';
import { outsideTransaction } from '../postgres/connection-guard.js';
import { hearOutsideCalls } from '../postgres/outside-calls.js';
import type { Example, Examination, Finding, Rule } from './examination.js';
import { Faults, type Cut } from './faults.js';
import { changedBetween, effectBetween, stateOf, type State } from './state.js';

interface Answer {
  status: number;
  text: string;
  isFinal: boolean;
}

/** Most places at which one handler is cut off. */
const MOST_CUTS = 25;

/**
 * Sends each `@Idempotent()` handler of a listening application its example: twice, several times at once, and with its connection cut
 * before each packet of its transaction, before COMMIT and behind it; and says what left traces. Nothing is faked: it is the application with its
 * PostgreSQL, which should be one for tests. Nobody else may use it meanwhile. In the process of the application alone.
 */
export async function examineHandlers(app: INestApplication, examination: Examination): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name, handler } of markedHandlers(app.get(DiscoveryService, { strict: false }))) {
    const example = examination.examples[name];
    if (!example) {
      findings.push({ handler: name, rule: 'example', detail: 'there is no example of a request' });
      continue;
    }
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
    const make = async (): Promise<Example> => (typeof example === 'function' ? example() : example);
    findings.push(...(await new Examined(app, examination, name, method, make).run()));
  }
  return findings;
}

/** One handler. */
class Examined {
  private readonly findings: Finding[] = [];
  private readonly dataSource: DataSource;
  /** What one execution changes, where two did the same. */
  private effect = new Map<string, number>();

  constructor(
    private readonly app: INestApplication,
    private readonly examination: Examination,
    private readonly name: string,
    private readonly method: string,
    private readonly make: () => Promise<Example>,
  ) {
    this.dataSource = app.get(DataSource, { strict: false });
  }

  async run(): Promise<Finding[]> {
    const faults = new Faults(this.dataSource);
    const calls = new Set<string>();
    const unhear = hearOutsideCalls(this.dataSource, ({ call }) => calls.add(call));
    try {
      const packets = await this.examineOnce(faults);
      for (const call of calls) this.find('no calls outside', call);
      if (packets === undefined) return this.findings;
      await this.examineAtOnce();
      const places = Array.from({ length: packets - 1 }, (_, at): Cut => ({ before: at + 2 }));
      for (const cut of spread(places)) await this.examineCut(faults, cut);
      await this.examineCut(faults, 'after COMMIT');
    } finally {
      unhear();
      faults.stop();
    }
    return this.findings;
  }

  /** Alone, again, and alone under another key; gives the packets of its transactions, or nothing where that already went wrong. */
  private async examineOnce(faults: Faults): Promise<number | undefined> {
    const before = await this.state();
    const [key, example] = [randomUUID(), await this.make()];
    const { gave: first, packets } = await faults.during(undefined, () => this.send(example, key));
    if (!first.isFinal) {
      this.find('succeeds', `${first.status} ${first.text.slice(0, 200)}`);
      return undefined;
    }
    const between = await this.state();
    const again = await this.send(example, key);
    if (again.status !== first.status || again.text !== first.text) this.find('replays', `${again.status} after ${first.status}`);
    const after = await this.state();
    for (const changed of changedBetween(between, after)) this.find('replays', `a repetition changes ${changed}`);
    await this.send(await this.make(), randomUUID());
    const once = effectBetween(before, between);
    const twice = effectBetween(after, await this.state());
    this.effect = new Map([...once].filter(([figure, change]) => twice.get(figure) === change));
    return packets;
  }

  private async examineAtOnce(): Promise<void> {
    const before = await this.state();
    const [key, example] = [randomUUID(), await this.make()];
    const answers = await Promise.all(Array.from({ length: this.examination.parallel ?? 5 }, () => this.send(example, key)));
    const texts = new Set(answers.filter(({ isFinal }) => isFinal).map(({ status, text }) => `${status} ${text}`));
    if (texts.size !== 1) this.find('one effect', `${texts.size} different answers to equal requests at once`);
    await this.expectOneEffect('one effect', before, 'requests at once');
  }

  private async examineCut(faults: Faults, cut: Cut): Promise<void> {
    const before = await this.state();
    const [key, example] = [randomUUID(), await this.make()];
    const { wasCut } = await faults.during(cut, () => this.send(example, key));
    if (!wasCut) return;
    const where = typeof cut === 'object' ? `cut off before packet ${cut.before}` : 'cut off behind COMMIT';
    const rule = typeof cut === 'object' ? 'undone' : 'kept';
    if (typeof cut === 'object') {
      for (const changed of changedBetween(before, await this.state())) this.find(rule, `${where} it has changed ${changed}`);
    }
    const again = await this.send(example, key);
    if (!again.isFinal) this.find(rule, `${where} and sent again, it answers ${again.status}`);
    else await this.expectOneEffect(rule, before, `${where} and sent again, it`);
  }

  private async expectOneEffect(rule: Rule, before: State, what: string): Promise<void> {
    const found = effectBetween(before, await this.state());
    for (const [figure, change] of this.effect) {
      if (found.get(figure) !== change) this.find(rule, `${what} changed ${figure} by ${found.get(figure)}, one alone by ${change}`);
    }
  }

  private async send({ path, headers, body }: Example, key: string): Promise<Answer> {
    const response = await fetch(new URL(path, await this.app.getUrl()), {
      method: this.method,
      redirect: 'manual',
      headers: {
        'idempotency-key': key,
        prefer: 'wait=30',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...this.examination.headers,
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text(), isFinal: response.headers.has('idempotency-expires') };
  }

  private state(): Promise<State> {
    return outsideTransaction(() => stateOf(this.dataSource, this.examination.observe ?? (() => null)));
  }

  private find(rule: Rule, detail: string): void {
    const isKnown = this.findings.some((finding) => finding.rule === rule && finding.detail === detail);
    if (!isKnown) this.findings.push({ handler: this.name, rule, detail });
  }
}

/** Not more than so many of them, the last one included. */
function spread<T>(all: readonly T[]): T[] {
  const step = Math.max(1, all.length / MOST_CUTS);
  return Array.from({ length: Math.min(all.length, MOST_CUTS) }, (_, at) => all[all.length - 1 - Math.floor(at * step)]).filter(
    (place) => place !== undefined,
  );
}
