import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ServedDocument } from './served-document.js';
import { serveAssets } from './docs-assets.js';
import { DocsController } from './docs.controller.js';
import { PolicyController } from './policy.controller.js';

/** GET /openapi.json, GET /.well-known/idempotency and GET /docs. */
@Module({ controllers: [DocsController, PolicyController], providers: [ServedDocument] })
export class OpenApiModule {}

/** What the module needs of the application that it belongs to, before that listens. */
export function serveDocs(app: NestFastifyApplication): void {
  app.get(ServedDocument).describe(app);
  serveAssets(app.getHttpAdapter().getInstance());
}
