import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../accounts/access.guard.js';
import { Api } from '../openapi/api.decorator.js';
import { CONTENT_SECURITY_POLICY } from './console-assets.js';
import { CONSOLE_PAGE } from './console-page.js';

@Controller('console')
@Public()
export class ConsoleController {
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', CONTENT_SECURITY_POLICY)
  @Api({
    id: 'getConsole',
    summary: 'Console',
    description:
      'A page for operators: live figures, the story of one request, and tries of what a retry does. It asks for an API key with ' +
      '`operations:read`, and forgets it with the page.',
    answers: [{ status: 200, description: 'A page for browsers.', texts: { 'text/html': '<!doctype html>' } }],
  })
  page(): string {
    return CONSOLE_PAGE;
  }
}
