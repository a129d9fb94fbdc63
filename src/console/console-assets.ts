import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { contentSecurityPolicy, servePageFiles } from '../http/page-files.js';

/** Where the files of the console live. */
export const ASSETS = '/console/assets/';

/** Where a browser knows trusted types, it lets no text become markup either. */
export const CONTENT_SECURITY_POLICY = contentSecurityPolicy(
  "img-src 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
);

const CHART_FILES = ['uPlot.iife.min.js', 'uPlot.min.css'];

/** Serves the files of the console: of uPlot's, the two that it needs, and those of `browser/`. */
export function serveConsole(fastify: FastifyInstance): void {
  const own = fileURLToPath(new URL('./browser/', import.meta.url));
  servePageFiles(fastify, {
    prefix: ASSETS,
    directories: [dirname(createRequire(import.meta.url).resolve('uplot')), own],
    names: [...CHART_FILES, ...readdirSync(own).filter((name) => /\.(?:js|css|svg)$/.test(name))],
    policy: CONTENT_SECURITY_POLICY,
  });
}
