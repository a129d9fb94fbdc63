import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Public } from '../accounts/access.guard.js';
import { Api } from '../openapi/api.decorator.js';
import { PROBLEMS, isProblemCode, type ProblemCode } from '../http/problem-table.js';
import { Problem } from '../http/problem.js';
import { prefersJson } from './accept.js';
import { ProblemExplanation, ProblemExplanations } from './problem-explanation.js';
import { CONTENT_SECURITY_POLICY, problemListPage, problemPage } from './problem-page.js';

/** Where the `type` of every problem leads. */
@Controller('problems')
@Public()
export class ProblemsController {
  @Get()
  @Api({
    id: 'listProblems',
    summary: 'List all problems',
    description: 'Every problem that this service answers, in one table: HTML, or JSON where Accept prefers `application/json`.',
    answers: [
      {
        status: 200,
        description: 'All problems.',
        view: ProblemExplanations,
        example: { data: [ProblemExplanation.of('insufficient-stock')] },
        headers: { Vary: 'accept' },
        texts: { 'text/html': '<!doctype html>' },
      },
    ],
  })
  list(@Headers('accept') accept: string | undefined, @Res() reply: FastifyReply): void {
    const data = (Object.keys(PROBLEMS) as ProblemCode[]).map(ProblemExplanation.of).toSorted((one, other) => one.status - other.status);
    send(reply, accept, { data }, () => problemListPage(data));
  }

  @Get(':code')
  @Api({
    id: 'getProblem',
    summary: 'Explain a problem',
    description:
      'What the problem means, what the client should do, and whether to try again: HTML, or JSON where Accept prefers `application/json`.',
    params: { code: { type: 'string', enum: Object.keys(PROBLEMS), description: '`code` of the problem.', example: 'insufficient-stock' } },
    answers: [
      {
        status: 200,
        description: 'The explanation.',
        view: ProblemExplanation,
        example: ProblemExplanation.of('insufficient-stock'),
        headers: { Vary: 'accept' },
        texts: { 'text/html': '<!doctype html>' },
      },
    ],
    problems: [new Problem('not-found', 'This service has no such problem.')],
  })
  explain(@Param('code') code: string, @Headers('accept') accept: string | undefined, @Res() reply: FastifyReply): void {
    if (!isProblemCode(code)) throw new Problem('not-found', 'This service has no such problem.');
    const explanation = ProblemExplanation.of(code);
    send(reply, accept, explanation, () => problemPage(explanation));
  }
}

function send(reply: FastifyReply, accept: string | undefined, json: unknown, html: () => string): void {
  void reply.header('vary', 'accept');
  if (prefersJson(accept)) {
    void reply.type('application/json; charset=utf-8').send(json);
    return;
  }
  void reply.type('text/html; charset=utf-8').header('content-security-policy', CONTENT_SECURITY_POLICY).send(html());
}
