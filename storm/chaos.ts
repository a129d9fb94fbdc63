import { setTimeout as sleep } from 'node:timers/promises';
import { LEASE_MS, type Injections, type Plan } from './plan.js';
import type { Random } from './random.js';
import type { World } from './world.js';

/** Disturbs a world: each kind of injection again after so many finished operations. */
export class Chaos {
  readonly done: Pick<Injections, 'kills' | 'pauses' | 'terminatedBackends' | 'sandboxRestarts'> = {
    kills: 0,
    pauses: 0,
    terminatedBackends: 0,
    sandboxRestarts: 0,
  };
  private over = false;
  private running: Promise<unknown> = Promise.resolve();
  /** One replica is killed or paused at a time. */
  private replicas: Promise<void> = Promise.resolve();

  constructor(
    private readonly world: World,
    private readonly random: Random,
    private readonly plan: Plan,
    private readonly finished: () => number,
  ) {}

  async start(): Promise<void> {
    await this.world.setFaults({ ...this.plan.faults, seed: this.plan.seed });
    const { kill, pause, terminate, sandbox } = this.plan.cadence;
    this.running = Promise.all([
      this.repeat(kill, () => this.oneAtATime(() => this.kill())),
      this.repeat(pause, () => this.oneAtATime(() => this.pause())),
      this.repeat(terminate, () => this.terminate()),
      this.repeat(sandbox, () => this.restartSandbox()),
    ]);
  }

  /** Whether nothing is missing of what it is to do at least: a replica that starts slowly takes its time from the next kill. */
  get hasDoneItsPart(): boolean {
    const { least } = this.plan;
    return (Object.keys(this.done) as (keyof typeof this.done)[]).every((name) => this.done[name] >= least[name]);
  }

  /** Ends what is under way; everything runs afterwards. */
  async stop(): Promise<void> {
    this.over = true;
    await this.running;
  }

  private async repeat(cadence: number, inject: () => Promise<void>): Promise<void> {
    if (cadence === 0) return;
    for (let next = cadence; !this.over;) {
      if (this.finished() < next) await sleep(20);
      else {
        await inject();
        next = Math.max(next + cadence, this.finished() + 1);
      }
    }
  }

  private oneAtATime(inject: () => Promise<void>): Promise<void> {
    this.replicas = this.replicas.then(inject);
    return this.replicas;
  }

  private async kill(): Promise<void> {
    const replica = this.random.of(this.world.replicas);
    await replica?.kill();
    this.done.kills += 1;
    await replica?.start();
  }

  private async pause(): Promise<void> {
    const replica = this.random.of(this.world.replicas);
    replica?.signal('SIGSTOP');
    this.done.pauses += 1;
    await sleep(LEASE_MS * 1.5);
    replica?.signal('SIGCONT');
  }

  /** Those in a transaction first: the others have nothing to lose. */
  private async terminate(): Promise<void> {
    const gone = await this.world.query(
      `SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'holdfast'
         ORDER BY xact_start IS NULL, random() LIMIT $1) chosen`,
      [this.random.whole(1, 3)],
    );
    this.done.terminatedBackends += gone.length;
  }

  private async restartSandbox(): Promise<void> {
    await this.world.sandbox.kill();
    await this.world.sandbox.start();
    this.done.sandboxRestarts += 1;
    await this.world.setFaults({ ...this.plan.faults, seed: this.plan.seed + this.done.sandboxRestarts });
  }
}
