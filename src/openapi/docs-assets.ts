import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Where the files of the docs page live. */
export const ASSETS = '/docs/assets/';

/** Only this server's own files and answers; Swagger UI draws its icons from data URLs. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SWAGGER_UI_FILES = ['/swagger-ui-bundle.js', '/swagger-ui.css', '/favicon-32x32.png'];
const OWN_FILES = ['/start.js', '/idempotency-key.js'];

/** Serves the files of the docs page: of Swagger UI's, the three that it needs, and those of `browser/`. */
export function serveAssets(fastify: FastifyInstance): void {
  const allowed = new Set([...SWAGGER_UI_FILES, ...OWN_FILES]);
  fastify.register(fastifyStatic, {
    root: [swaggerUi(), fileURLToPath(new URL('./browser/', import.meta.url))],
    prefix: ASSETS,
    decorateReply: false,
    index: false,
    allowedPath: (path) => allowed.has(path),
    setHeaders: (response) => {
      // The bundle has 1.4 MB: a browser keeps it and asks whether it is still the same.
      void response.header('content-security-policy', CONTENT_SECURITY_POLICY).header('cache-control', 'public, max-age=0');
    },
  });
}

/** The copy of Swagger UI that @nestjs/swagger brings along and was tested with. */
function swaggerUi(): string {
  const swagger = createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger'));
  return dirname(swagger.resolve('swagger-ui-dist/package.json'));
}
