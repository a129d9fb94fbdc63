import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { PROBLEMS, type ProblemCode, type RetryVerdict } from '../http/problem-table.js';

const RETRY_MEANING: Record<RetryVerdict, string> = {
  'same-key': 'Send the same request with the same Idempotency-Key again, after Retry-After. It is safe however often you do.',
  'new-key': 'The outcome of this Idempotency-Key is final. If you still want it, try under a new key.',
  never: 'Do not send the request again as it is. A corrected one is a new intent with a new Idempotency-Key, unless nothing was stored.',
};

/** What one problem of the table means, as a client reads it. */
@ApiSchema({ description: 'What a problem means, and what to do about it.' })
export class ProblemExplanation {
  @ApiProperty({ type: 'string', format: 'uri-reference', description: '`type` of the problem: where this explanation is.' })
  type: string;

  @ApiProperty({ type: 'string', enum: Object.keys(PROBLEMS), description: '`code` of the problem.' })
  code: ProblemCode;

  @ApiProperty({ type: 'string', description: '`title` of the problem.' })
  title: string;

  @ApiProperty({ type: 'integer', minimum: 400, maximum: 599, description: 'HTTP status.' })
  status: number;

  @ApiProperty({ type: 'string', enum: Object.keys(RETRY_MEANING), description: '`retry` of the problem.' })
  retry: RetryVerdict;

  @ApiProperty({ type: 'string', description: 'What happened.' })
  meaning: string;

  @ApiProperty({ type: 'string', description: 'What the client should do.' })
  advice: string;

  @ApiProperty({ type: 'string', description: 'What the verdict in `retry` asks for.' })
  retryMeaning: string;

  static of(this: void, code: ProblemCode): ProblemExplanation {
    const { title, status, retry, meaning, advice } = PROBLEMS[code];
    return { type: `/problems/${code}`, code, title, status, retry, meaning, advice, retryMeaning: RETRY_MEANING[retry] };
  }
}

/** What `GET /problems` answers to a program: the whole table, so that a client can learn every verdict at once. */
@ApiSchema({ description: 'Every problem of this service.' })
export class ProblemExplanations {
  @ApiProperty({ type: [ProblemExplanation] })
  data: ProblemExplanation[];
}
