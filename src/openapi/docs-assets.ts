import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { contentSecurityPolicy, servePageFiles } from '../http/page-files.js';

/** Where the files of the docs page live. */
export const ASSETS = '/docs/assets/';

/** Swagger UI draws its icons from data URLs. */
export const CONTENT_SECURITY_POLICY = contentSecurityPolicy("img-src 'self' data:");

const SWAGGER_UI_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css', 'favicon-32x32.png'];
const OWN_FILES = ['start.js', 'idempotency-key.js'];

/** Serves the files of the docs page: of Swagger UI's, the three that it needs, and those of `browser/`. */
export function serveAssets(fastify: FastifyInstance): void {
  servePageFiles(fastify, {
    prefix: ASSETS,
    directories: [swaggerUi(), fileURLToPath(new URL('./browser/', import.meta.url))],
    names: [...SWAGGER_UI_FILES, ...OWN_FILES],
    policy: CONTENT_SECURITY_POLICY,
  });
}

/** The copy of Swagger UI that @nestjs/swagger brings along and was tested with. */
function swaggerUi(): string {
  const swagger = createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger'));
  return dirname(swagger.resolve('swagger-ui-dist/package.json'));
}
