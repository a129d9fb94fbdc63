import { ValidationPipe, type ArgumentMetadata, type ValidationError } from '@nestjs/common';
import { refuseUnreadable } from './body.js';
import { Problem, type FieldError } from './problem.js';

/** Entries of `errors` in one answer. */
const MAX_ERRORS = 20;
/** Characters of a JSON pointer in an answer; the longest legal one is far shorter. */
const MAX_POINTER = 300;
/** Parameters in one query. */
const MAX_PARAMETERS = 100;

/** Turns bodies into DTO instances and refuses everything that a DTO doesn't declare. */
export function validationPipe(): ValidationPipe {
  return new StrictValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    // With it, a body whose class declares no members (an action's) would be refused; the white list refuses unknown ones anyway.
    forbidUnknownValues: false,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => invalid(flatten(errors, '')),
  });
}

/** Nest and class-transformer pass silently over members with names like `toString`; here they are unknown ones like others. */
class StrictValidationPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body') refuseUnreadable(value);
    else refuseManyParameters(value);
    const instance: unknown = await super.transform(value, metadata);
    const lost = lostMembers(value, instance, '');
    if (lost.length > 0) throw invalid(lost);
    return instance;
  }

  /** It would remove `__proto__` and `constructor` without a word. Bodies with these never come this far, and queries are flat. */
  protected override stripProtoKeys(): void {}
}

/** The members of what was sent that the DTO made of it doesn't have. */
function lostMembers(sent: unknown, made: unknown, parent: string): FieldError[] {
  if (sent === made || typeof sent !== 'object' || sent === null || typeof made !== 'object' || made === null) return [];
  return Object.entries(sent).flatMap(([name, member]) => {
    const pointer = `${parent}/${escaped(name)}`;
    if (!Object.hasOwn(made, name)) return [{ pointer, detail: 'is not known here' }];
    return lostMembers(member, (made as Record<string, unknown>)[name], pointer);
  });
}

/** A name may be as long as a body; an answer says where its mistake is, and doesn't send it back. */
function shortened(pointer: string): string {
  return pointer.length > MAX_POINTER ? `${pointer.slice(0, MAX_POINTER)}…`.toWellFormed() : pointer;
}

/** class-transformer takes time with the square of their number; bodies are bounded where they are read. */
function refuseManyParameters(query: unknown): void {
  if (typeof query !== 'object' || query === null || Object.keys(query).length <= MAX_PARAMETERS) return;
  throw invalid([{ pointer: '', detail: `has more than ${MAX_PARAMETERS} parameters` }]);
}

/** 400 with one entry for each wrong member, up to 20 of them. */
export function invalid(errors: FieldError[]): Problem {
  const told = errors.slice(0, MAX_ERRORS).map(({ pointer, detail }) => ({ pointer: shortened(pointer), detail }));
  const [first] = told;
  const detail = first ? `${first.pointer} ${first.detail}`.trim() : 'The request is not valid.';
  return new Problem('invalid-request', errors.length > 1 ? `${detail}, and ${errors.length - 1} more` : detail, { errors: told });
}

function flatten(errors: ValidationError[], parent: string): FieldError[] {
  return errors.flatMap((error) => {
    const pointer = `${parent}/${escaped(error.property)}`;
    const own = Object.values(error.constraints ?? {}).map((message) => ({ pointer, detail: withoutName(message, error.property) }));
    return [...own, ...flatten(error.children ?? [], pointer)];
  });
}

/** A name in a JSON pointer (RFC 6901, section 3). */
function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** class-validator begins its messages with the member's name, which the pointer says already. */
function withoutName(message: string, property: string): string {
  if (message === `property ${property} should not exist`) return 'is not a known member';
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}
