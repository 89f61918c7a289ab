import { type Static, Type } from 'typebox';

/** One field that is wrong: where it is (a JSON pointer) and how to mend it. */
export interface FieldError {
  readonly pointer: string;
  readonly message: string;
  readonly code?: string;
}

/** An RFC 9457 problem. `code` is stable, for programs; `detail` says in words how to mend it. */
export const ProblemOutput = Type.Object(
  {
    type: Type.String({ examples: ['urn:carillon:problem:not-found'] }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ examples: ['not-found'] }),
    detail: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ examples: ['/name'] }),
          message: Type.String(),
          code: Type.Optional(Type.String()),
        }),
      ),
    ),
    allowed: Type.Optional(Type.Array(Type.String(), { description: 'The actions that are allowed now.' })),
    cause: Type.Optional(
      Type.String({
        description: 'What still suspends it, for programs: the code of the suspension.',
        examples: ['credit'],
      }),
    ),
  },
  { description: 'What is wrong and how to mend it (RFC 9457).' },
);
export type ProblemOutput = Static<typeof ProblemOutput>;

/** Every stable code with its status and title: the one list that documents them. */
export const PROBLEMS = {
  'malformed-request': [400, 'The request cannot be read'],
  'invalid-field': [400, 'A field is not valid'],
  'invalid-text': [400, 'A text holds characters that cannot be kept'],
  'account-required': [400, 'No account is named'],
  unauthenticated: [401, 'No valid key'],
  'scope-missing': [403, 'The key may not do this'],
  'not-for-parents': [403, 'A parent may not do this for a sub-account'],
  'grant-missing': [403, 'The sub-account has not granted it'],
  'account-disabled': [403, 'The account is disabled'],
  'central-send-disabled': [403, 'Central Send is not enabled'],
  'operators-hold': [403, 'Only an operator may lift it'],
  'not-found': [404, 'Not found'],
  'method-not-allowed': [405, 'The method is not allowed here'],
  'name-taken': [409, 'The name is taken'],
  'already-exists': [409, 'It exists already'],
  'action-not-allowed': [409, 'The status does not allow this'],
  'no-parent': [409, 'The account has no parent'],
  'has-parent': [409, 'The account has a parent'],
  'has-sub-accounts': [409, 'The account is a parent'],
  'not-interchangeable': [409, 'It is of another kind'],
  'details-locked': [409, 'Details are locked'],
  'overdue-messages': [409, 'Overdue messages need a word'],
  'cause-persists': [409, 'What suspended it persists'],
  'carrier-silent': [409, 'The carrier does not say whether it is mended'],
  'review-required': [409, 'A review is required'],
  'review-stale': [409, 'It is not what was reviewed'],
  held: [409, 'A hold forbids it'],
  'request-in-flight': [409, 'A request with this key is under way'],
  'in-use': [409, 'It is in use'],
  'key-not-rotatable': [409, 'The key cannot be rotated'],
  'last-operator-key': [409, 'It is the last key of the installation'],
  'too-many-holds': [409, 'Too many holds stand on it'],
  'version-mismatch': [412, 'It has changed since it was read'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The kind of content is not supported'],
  'range-not-satisfiable': [416, 'The range lies outside'],
  'not-launchable': [422, 'The campaign cannot be launched'],
  'schedule-refused': [422, 'A schedule is refused'],
  'quiet-hours': [422, 'It lies in quiet hours'],
  'unknown-reference': [422, 'Something that is named does not exist'],
  'not-acceptable-value': [422, 'A value is not acceptable'],
  'reason-required': [422, 'It needs a reason'],
  'key-reused': [422, 'The idempotency key was used with another request'],
  'too-many-requests': [429, 'Too many requests'],
  internal: [500, 'Something went wrong on our side'],
  'too-many-readers': [503, 'Too many streams are open'],
  'not-ready': [503, 'Not ready'],
  'database-busy': [503, 'The database is busy'],
  'database-full': [503, 'The disk of the database is full'],
  'database-unavailable': [503, 'The database cannot be reached'],
} as const satisfies Record<string, readonly [number, string]>;
export type ProblemCode = keyof typeof PROBLEMS;

/** The one error class of the API; the error handler turns it into the answer. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly errors: readonly FieldError[];
  readonly allowed: readonly string[] | undefined;
  /** What still suspends a campaign. */
  readonly suspendedBy: string | undefined;
  /** What the header Retry-After says, in seconds. */
  readonly retryAfterS: number | undefined;

  constructor(
    code: ProblemCode,
    detail: string,
    more: {
      readonly errors?: readonly FieldError[];
      readonly allowed?: readonly string[];
      readonly suspendedBy?: string;
      readonly retryAfterS?: number;
    } = {},
  ) {
    super(detail);
    this.code = code;
    this.status = PROBLEMS[code][0];
    this.errors = more.errors ?? [];
    this.allowed = more.allowed;
    this.suspendedBy = more.suspendedBy;
    this.retryAfterS = more.retryAfterS;
  }

  /** The body of the answer. */
  toBody(): ProblemOutput {
    return {
      type: `urn:carillon:problem:${this.code}`,
      title: PROBLEMS[this.code][1],
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.errors.length === 0 ? {} : { errors: this.errors.map((error) => ({ ...error })) }),
      ...(this.allowed === undefined ? {} : { allowed: [...this.allowed] }),
      ...(this.suspendedBy === undefined ? {} : { cause: this.suspendedBy }),
    };
  }
}

/** What suspended a campaign persists, or the carrier does not say whether it does. */
export function causePersists(cause: string, reason: string): Problem {
  return cause === 'carrier_silent'
    ? new Problem('carrier-silent', reason)
    : new Problem('cause-persists', reason, { suspendedBy: cause });
}

/** The usual answer for an id that this account cannot see: it tells nobody whether it exists. */
export function notFound(what: string): Problem {
  return new Problem('not-found', `There is no such ${what} in this account. Check the id and the key.`);
}

/** What names a thing that does not exist, in a body. */
export function unknownReference(pointer: string, what: string): Problem {
  return new Problem('unknown-reference', `There is no such ${what} in this account.`, {
    errors: [{ pointer, message: `Name a ${what} of this account.` }],
  });
}

/** The problems of a route, for OpenAPI. */
export function problems(...statuses: readonly number[]): Record<number, typeof ProblemOutput> {
  return Object.fromEntries(
    [400, 401, 403, 429, 500, 503, ...statuses].map((status) => [status, ProblemOutput]),
  );
}
