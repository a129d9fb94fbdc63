import type { OpenAPIObject } from '@nestjs/swagger';
import { Injectable, type INestApplication } from '@nestjs/common';
import { buildDocument } from './document.js';
import { policyOf } from './policy.js';

/** The document as the server sends it. It is built on the first request, since nothing else at run time needs it. */
@Injectable()
export class ServedDocument {
  private app: INestApplication | undefined;
  private document: OpenAPIObject | undefined;
  private text: string | undefined;
  private policyText: string | undefined;

  /** Names the application that is described. */
  describe(app: INestApplication): void {
    this.app = app;
  }

  json(): string {
    return (this.text ??= JSON.stringify(this.built()));
  }

  /** What the document says about keys, in short. */
  policy(): string {
    return (this.policyText ??= JSON.stringify(policyOf(this.built())));
  }

  private built(): OpenAPIObject {
    if (!this.app) throw new Error('there is no application to describe');
    return (this.document ??= buildDocument(this.app));
  }
}
