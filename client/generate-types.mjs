import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

// Writes the types of all routes from the description of the service. With --check it compares.
const DESCRIPTION = new URL('../openapi.json', import.meta.url);
const FILE = new URL('src/api/openapi.ts', import.meta.url);

const description = JSON.parse(await readFile(DESCRIPTION, 'utf8'));
// Outcomes have the headers of answers as they come; what a route does stands with its method, and what a response means in its problem.
for (const operation of Object.values(description.paths).flatMap(Object.values)) {
  delete operation.summary;
  delete operation.description;
  for (const response of Object.values(operation.responses)) {
    delete response.headers;
    delete response.description;
  }
}
// What has a default may be left out by whoever sends it.
const types = astToString(await openapiTS(description, { alphabetize: false, defaultNonNullable: false }));
const text = `// Made of openapi.json by \`npm run client:types\`.\n\n${types}`;

if (process.argv.includes('--check')) {
  const present = await readFile(FILE, 'utf8').catch(() => '');
  if (present !== text) {
    process.stderr.write('client/src/api/openapi.ts is stale: run `npm run client:types` and commit the file.\n');
    process.exitCode = 1;
  }
} else {
  await writeFile(FILE, text);
}
