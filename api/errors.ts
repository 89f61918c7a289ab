import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type DatabaseTrouble, databaseTroubleOf } from '../db/database-trouble.ts';
import type { Api } from './deps.ts';
import { howToMend, type ValidationIssue } from './how-to-mend.ts';
import { type FieldError, Problem } from './problem.ts';

/** The one error handler: problems as they are, everything internal hidden. */
export function registerErrors(api: Api): void {
  api.setErrorHandler((error: FastifyError, request, reply) =>
    answer(toProblem(error), error, request, reply),
  );
  api.setNotFoundHandler((request, reply) =>
    answer(
      new Problem('not-found', `There is no ${request.method} route here. /docs lists them all.`),
      null,
      request,
      reply,
    ),
  );
}

/** Answers what Fastify refuses before it knows a route, such as a path with a broken escape. */
export function answerFrameworkError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  answer(
    new Problem(
      'malformed-request',
      'The URL cannot be read. Send a path with well-formed escapes in UTF-8.',
    ),
    error,
    request,
    reply,
  );
}

function answer(
  problem: Problem,
  error: Error | null,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (problem.status >= 500 && error !== null) {
    // Drivers put values into messages and details, so the log gets the kind of error and where it arose only.
    request.log.error({ kind: error.name, code: codeOf(error), stack: framesOf(error) }, 'A request failed');
  }
  if (problem.retryAfterS !== undefined) reply.header('retry-after', problem.retryAfterS);
  return reply.code(problem.status).type('application/problem+json').send(problem.toBody());
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function framesOf(error: Error): string[] {
  return (error.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
}

function toProblem(error: FastifyError): Problem {
  if (error instanceof Problem) return error;
  if (error.validation !== undefined) {
    const context = error.validationContext ?? 'body';
    const issues = error.validation.filter(saysHow).map((issue) => fieldError(issue, context));
    return new Problem('invalid-field', 'Some fields are not valid; each is named with how to mend it.', {
      errors: issues,
    });
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem('body-too-large', 'The body is larger than this route takes. Send less at a time.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem(
        'unsupported-media-type',
        'Send the body as application/json, or as the route says.',
      );
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new Problem('malformed-request', 'The body is empty. Send a JSON object.');
    default:
      break;
  }
  if (isTextError(error)) {
    return new Problem(
      'invalid-text',
      'A text holds characters that cannot be kept, such as NUL. Remove them.',
    );
  }
  if (typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500) {
    return new Problem('malformed-request', 'The request cannot be read. Send well-formed JSON in UTF-8.');
  }
  const trouble = databaseTroubleOf(error);
  if (trouble !== null) return databaseProblem(trouble);
  return new Problem('internal', `Something went wrong on our side. ${AGAIN}`);
}

const AGAIN =
  'Send the request again: with the same Idempotency-Key it is done once, whatever became of this one.';

/** Campaigns wait and go on by themselves; only who asked just now has to ask again. */
function databaseProblem(trouble: DatabaseTrouble): Problem {
  switch (trouble) {
    case 'full':
      return new Problem(
        'database-full',
        `The disk of the database is full, so nothing can be written. Make room on it; all else goes on by itself. ${AGAIN}`,
        { retryAfterS: 30 },
      );
    case 'busy':
      return new Problem(
        'database-busy',
        `All connections to the database are in use. Wait as Retry-After says, or let the database take more. ${AGAIN}`,
        { retryAfterS: 5 },
      );
    case 'locked':
      return new Problem(
        'database-busy',
        `What this would change is being changed by somebody else, who has not ended. Wait as Retry-After says. ${AGAIN}`,
        { retryAfterS: 5 },
      );
    case 'unavailable':
      return new Problem(
        'database-unavailable',
        `The database does not answer just now, or has broken off. Wait as Retry-After says, or see that it runs. ${AGAIN}`,
        { retryAfterS: 5 },
      );
  }
}

/** PostgreSQL's words for bytes that are no text: 22021 and 22P05. */
function isTextError(error: Error): boolean {
  const code = codeOf(error);
  return code === '22021' || code === '22P05';
}

/** Of what may be null or one of several things, each is told what it lacks: that it is none of them adds nothing. */
function saysHow({ keyword, params }: ValidationIssue): boolean {
  return keyword !== 'anyOf' && !(keyword === 'type' && params['type'] === 'null');
}

/** Says what is wrong without repeating the value, which may be somebody's number or text. */
function fieldError(issue: ValidationIssue, context: string): FieldError {
  const base = context === 'body' ? '' : `/${context === 'querystring' ? 'query' : context}`;
  const { keyword, params } = issue;
  if (keyword === 'additionalProperties' && typeof params['additionalProperty'] === 'string') {
    return {
      pointer: `${base}${issue.instancePath}/${params['additionalProperty']}`,
      message: 'This field is not known here. Remove it or correct its name.',
    };
  }
  if (keyword === 'required' && typeof params['missingProperty'] === 'string') {
    return {
      pointer: `${base}${issue.instancePath}/${params['missingProperty']}`,
      message: 'This field is required.',
    };
  }
  return { pointer: `${base}${issue.instancePath}`, message: howToMend(issue) };
}

/** The name of a unique rule that an insert has broken, or null for any other error. */
export function brokenUniqueRule(error: unknown): string | null {
  if (!(error instanceof Error) || codeOf(error) !== '23505') return null;
  return 'constraint' in error && typeof error.constraint === 'string' ? error.constraint : '';
}
