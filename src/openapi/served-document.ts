import { Injectable, type INestApplication } from '@nestjs/common';
import { buildDocument } from './document.js';

/** The document as the server sends it. It is built on the first request, since nothing else at run time needs it. */
@Injectable()
export class ServedDocument {
  private app: INestApplication | undefined;
  private text: string | undefined;

  /** Names the application that is described. */
  describe(app: INestApplication): void {
    this.app = app;
  }

  json(): string {
    if (!this.app) throw new Error('there is no application to describe');
    return (this.text ??= JSON.stringify(buildDocument(this.app)));
  }
}
