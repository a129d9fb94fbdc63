import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

/**
 * Loaded before the service: SIGUSR2 begins a CPU profile, the next one ends it and writes it into the file that the environment
 * names. The file is there once it is whole.
 */
const file = process.env['PROFILE_FILE'] ?? '';
const session = new Session();
session.connect();
session.post('Profiler.enable');
let isRunning = false;

process.on('SIGUSR2', () => {
  if (isRunning)
    session.post('Profiler.stop', (error, { profile }) => {
      if (error) throw error;
      writeFileSync(`${file}.part`, JSON.stringify(profile));
      renameSync(`${file}.part`, file);
    });
  else session.post('Profiler.start');
  isRunning = !isRunning;
});
