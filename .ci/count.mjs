// Prints how the tests ended, from the file that jest wrote: `jest: 123 passed, 0 failed`.
import { existsSync, readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
if (!file || !existsSync(file)) {
  process.stdout.write('jest: 0 passed, 0 failed\n');
  process.exit(1);
}
const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(file, 'utf8'));
// A file that could not be loaded has no tests to count, but is a failure.
process.stdout.write(`jest: ${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed\n`);
