import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../accounts/access.guard.js';
import { Api } from './api.decorator.js';
import { EXAMPLE_POLICY, PolicyView } from './policy.view.js';
import { ServedDocument } from './served-document.js';

/** What a key means here, where programs look for such things (RFC 8615). */
@Controller('.well-known')
@Public()
export class PolicyController {
  constructor(private readonly document: ServedDocument) {}

  @Get('idempotency')
  @Header('content-type', 'application/json; charset=utf-8')
  @Api({
    id: 'getIdempotencyPolicy',
    summary: 'The policy of keys',
    description:
      'For programs: the name and syntax of the key’s header, the methods that take one, what each operation guarantees (its ' +
      '`x-idempotency`: `required`, `window`, `stored`, `duplicateWindow`, `lateRequests`), its `deprecation` where it is going away, and the verdict of every problem. Needs no API key.',
    answers: [{ status: 200, description: 'The policy of the running service.', view: PolicyView, example: EXAMPLE_POLICY }],
  })
  policy(): string {
    return this.document.policy();
  }
}
