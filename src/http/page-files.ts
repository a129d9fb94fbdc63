import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Only this server's own files and answers, no inline script or style, and in nobody's frame; `more` directives beside these. */
export function contentSecurityPolicy(...more: string[]): string {
  const own = ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"];
  return [...own, ...more, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"].join('; ');
}

/** Files that belong to a page. */
export interface PageFiles {
  /** Begins and ends with a slash. */
  prefix: string;
  /** Where they may be; of two that have the same name the first directory's counts. */
  directories: string[];
  /** Their names: nothing else in the directories is served. */
  names: readonly string[];
  policy: string;
}

/** Serves the files of a page. A browser keeps them, and asks each time whether they are still the same. */
export function servePageFiles(fastify: FastifyInstance, { prefix, directories, names, policy }: PageFiles): void {
  const allowed = new Set(names.map((name) => `/${name}`));
  fastify.register(fastifyStatic, {
    root: directories,
    prefix,
    decorateReply: false,
    index: false,
    allowedPath: (path) => allowed.has(path),
    setHeaders: (response) => {
      void response.header('content-security-policy', policy).header('cache-control', 'public, max-age=0');
    },
  });
}
