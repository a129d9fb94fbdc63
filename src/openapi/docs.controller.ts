import { Controller, Get, Header, Inject } from '@nestjs/common';
import { Public } from '../accounts/access.guard.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { Api } from './api.decorator.js';
import { ServedDocument } from './served-document.js';
import { ASSETS, CONTENT_SECURITY_POLICY } from './docs-assets.js';

/**
 * No inline script or style, so that the policy needs no exception. `rememberKey`: whether the browser keeps the API key beyond
 * the page.
 */
const pageOf = (rememberKey: boolean): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast API</title>
<link rel="icon" href="${ASSETS}favicon-32x32.png">
<link rel="stylesheet" href="${ASSETS}swagger-ui.css">
<script src="${ASSETS}swagger-ui-bundle.js" defer></script>
<script src="${ASSETS}start.js" type="module"></script>
</head>
<body><div id="swagger-ui" data-remember-key="${rememberKey}"></div><noscript>The page needs JavaScript; the same description is at <a href="/openapi.json">/openapi.json</a>.</noscript></body>
</html>
`;

@Controller()
@Public()
export class DocsController {
  private readonly html: string;

  constructor(
    private readonly document: ServedDocument,
    @Inject(CONFIG) { production }: Config,
  ) {
    this.html = pageOf(!production);
  }

  @Get('openapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  @Api({
    id: 'getOpenApi',
    summary: 'This description',
    description: 'The OpenAPI 3.1 document of the running service.',
    answers: [{ status: 200, description: 'The document.', texts: { 'application/json': '{"openapi":"3.1.0"}' } }],
  })
  openApi(): string {
    return this.document.json();
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', CONTENT_SECURITY_POLICY)
  @Api({
    id: 'getDocs',
    summary: 'Swagger UI',
    description:
      'The same description to read and to try. It fills in a fresh Idempotency-Key, and keeps it for a repeat. In production it forgets the API key with the page.',
    answers: [{ status: 200, description: 'A page for browsers.', texts: { 'text/html': '<!doctype html>' } }],
  })
  page(): string {
    return this.html;
  }
}
