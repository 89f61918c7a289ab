import { type Static, Type } from 'typebox';
import { type ApiKey, KEY_SORTS, KEY_STATES } from '../../db/api-keys.ts';
import { ACCOUNT_SCOPES, SCOPES } from '../../db/make-api-key.ts';
import { Q, severalOf, sortedBy } from '../list-query.ts';
import { PageQuery } from '../pages.ts';
import { idOf, INSTANT, nullable, oneOf } from '../schemas/common.ts';

/** The longest that a rotated key and its successor are both valid: 30 days. */
export const OVERLAP_MS_MAX = 30 * 24 * 60 * 60_000;

const name = Type.String({ minLength: 1, maxLength: 200, examples: ['Reports job'] });
const expiresAt = Type.Optional(
  nullable(
    Type.String({ format: 'date-time', description: 'From this instant on it is refused; null is never.' }),
  ),
);

/** What is given of a key of an account. */
export const KeyInput = Type.Object(
  {
    name,
    scopes: Type.Array(oneOf(ACCOUNT_SCOPES, { description: 'What the key may do.' }), {
      minItems: 1,
      uniqueItems: true,
    }),
    expiresAt,
  },
  { additionalProperties: false },
);

/** What is given of an operator's key: it may do everything, for any account. */
export const OperatorKeyInput = Type.Object({ name, expiresAt }, { additionalProperties: false });

/** What can be changed of a key; its scopes cannot. */
export const KeyPatch = Type.Object(
  { name: Type.Optional(name), expiresAt },
  { additionalProperties: false },
);

/** How a key is rotated. */
export const RotationInput = Type.Object(
  {
    overlapMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: OVERLAP_MS_MAX,
        description: 'How long the old key stays valid beside the new one; 24 hours unless told.',
      }),
    ),
    expiresAt,
  },
  { additionalProperties: false },
);

const State = oneOf(KEY_STATES, { description: 'Only active keys are taken.' });

/** Which keys. */
export const KeyQuery = Type.Object(
  {
    ...PageQuery.properties,
    q: Q,
    state: severalOf(State, { maxItems: KEY_STATES.length }),
    scope: severalOf(oneOf(SCOPES, { description: 'What the key may do.' }), { maxItems: SCOPES.length }),
    ...sortedBy(KEY_SORTS, 'desc'),
  },
  { additionalProperties: false },
);

/** A key without its secret. */
export const KeyOutput = Type.Object({
  id: idOf('key'),
  name: Type.String(),
  prefix: Type.String({ description: 'What the key has between crl_ and its secret.' }),
  scopes: Type.Array(Type.String()),
  state: State,
  expiresAt: nullable(INSTANT),
  revokedAt: nullable(INSTANT),
  lastUsedAt: nullable(
    Type.String({ description: 'Exact to a minute.', examples: ['2026-11-24T15:00:00.000Z'] }),
  ),
  replacedBy: nullable(Type.String({ description: 'The key that a rotation put in its place.' })),
  createdAt: INSTANT,
});

/** A key that has just been made. */
export const NewKeyOutput = Type.Object({
  id: idOf('key'),
  key: Type.String({ description: 'Shown this once; only its hash is kept.' }),
});

/** What a key is at an instant in epoch milliseconds. */
export function keyState(
  key: Pick<ApiKey, 'expiresAt' | 'revokedAt'>,
  at: number,
): (typeof KEY_STATES)[number] {
  if (key.revokedAt !== null) return 'revoked';
  return key.expiresAt !== null && key.expiresAt.getTime() <= at ? 'expired' : 'active';
}

/** A key as the API shows it at an instant. */
export function keyView(key: ApiKey, at: number): Static<typeof KeyOutput> {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    scopes: [...key.scopes],
    state: keyState(key, at),
    expiresAt: key.expiresAt?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
    replacedBy: key.replacedBy,
    createdAt: key.createdAt.toISOString(),
  };
}
