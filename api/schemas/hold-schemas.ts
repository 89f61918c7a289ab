import { Type } from 'typebox';
import { HOLD_SCOPES } from '../../domain/hold.ts';
import { PageQuery } from '../pages.ts';
import { idOf, INSTANT, nullable, oneOf } from './common.ts';

const Scope = oneOf(HOLD_SCOPES, {
  description:
    'How far it reaches. `installation` needs an operator who names no account; a message is held by itself.',
});
const ScopeId = Type.String({
  pattern: '^(acc|snd|cmp|msg)_[0-9a-z]{13,26}$',
  description:
    "The sender's, campaign's or message's id; an account may be left out, an installation has none.",
  examples: ['cmp_01m86mtaj9fzxvj3x8dcj53g4n'],
});

/** What somebody places. */
export const HoldInput = Type.Object(
  {
    scope: Scope,
    scopeId: Type.Optional(ScopeId),
    reason: Type.String({
      minLength: 1,
      maxLength: 500,
      description: 'Shown to everybody whom it keeps from sending.',
      examples: ['The offer in the text has to be checked.'],
    }),
  },
  { additionalProperties: false },
);

/** Which holds. */
export const HoldQuery = Type.Object(
  {
    ...PageQuery.properties,
    scope: Type.Optional(Scope),
    scopeId: Type.Optional(
      Type.String({ minLength: 1, maxLength: 40, description: 'The id of what is held.' }),
    ),
    state: Type.Optional(
      oneOf(['standing', 'lifted'], {
        description: 'standing: those that keep something from sending. lifted: those that are over.',
      }),
    ),
  },
  { additionalProperties: false },
);

const NAME = nullable(
  Type.String({
    description: 'Of the person or key, as it is called today; null for an operator and the system.',
  }),
);

const fields = {
  id: idOf('hld'),
  scope: Scope,
  scopeId: Type.String(),
  kind: Type.String({
    description: '`hold` was placed by itself; the others belong to the action of their name.',
  }),
  cause: nullable(Type.String()),
  reason: Type.String(),
  campaignId: nullable(Type.String()),
  byOperator: Type.Boolean({ description: 'Only an operator may lift it.' }),
  placedBy: Type.String(),
  placedByName: NAME,
  placedAt: INSTANT,
  liftedBy: nullable(Type.String()),
  liftedByName: NAME,
  liftedAt: nullable(INSTANT),
};

/** One line of the list of holds. */
export const HoldListItemOutput = Type.Object(fields);

/** A hold. */
export const HoldOutput = Type.Object({
  ...fields,
  state: oneOf(['closing', 'closed', 'lifting', 'lifted'], {
    description:
      'closing: texts of before are still on their way. lifting: its campaign opens as soon as the engine answers.',
  }),
  inFlight: nullable(
    Type.Integer({
      description:
        'Recipients whose texts may still go out. Nothing beyond them does while it stands. Null on a central campaign, whose recipients are those of its sub-accounts.',
    }),
  ),
  url: Type.String({ description: 'Where the count is read again until it is 0.' }),
});
