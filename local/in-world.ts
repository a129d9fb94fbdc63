import { inspect } from 'node:util';

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** What is up while a command works. */
interface World {
  /** Ends all of it and leaves nothing behind. May be called at any time, and again. */
  end(): Promise<void>;
}

/**
 * Runs `work` in a world of which nothing is left afterwards. A failure is printed and is exit code 1; a signal ends the world,
 * wherever `work` is, and then this process, with the code that a shell gives it. `make` only begins to make the world.
 */
export async function inWorld<W extends World>(make: () => W, work: (world: W) => Promise<void>): Promise<void> {
  let interrupted = false;
  for (const [signal, number] of Object.entries(SIGNALS)) {
    // Not once: a terminal's Ctrl-C reaches this process directly and through npm.
    process.on(signal, () => {
      // What an interruption breaks off fails somewhere, perhaps where nobody waits for it. The world must end all the same.
      if (!interrupted) process.on('uncaughtException', () => undefined);
      interrupted = true;
      void world.end().finally(() => process.exit(128 + number));
    });
  }
  // Handlers run between turns: none sees a world that is half made, and no world is there that none would end.
  const world = make();
  try {
    await work(world);
  } catch (error) {
    if (!interrupted) {
      process.stderr.write(`${inspect(error)}\n`);
      process.exitCode = 1;
    }
  } finally {
    await world.end();
  }
}
