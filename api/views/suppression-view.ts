import { type Static, Type } from 'typebox';
import type { SuppressionChange } from '../../db/suppression-history.ts';
import type { Suppression } from '../../db/suppressions.ts';
import {
  gravestSuppression,
  SUPPRESSION_KINDS,
  SUPPRESSION_REASON_LENGTH_MAX,
  SUPPRESSION_SOURCES,
} from '../../domain/suppression.ts';
import { idOf, INSTANT, nullable, oneOf } from '../schemas/common.ts';
import { NUMBER } from './contact-view.ts';

/** Why a number must not be texted. */
export const KIND = oneOf(SUPPRESSION_KINDS, {
  description:
    'erased: its owner asked to be forgotten, and only a keyed hash of the number is kept. opt_out: he asked not to be texted. undeliverable: the carrier says that it is gone for good. manual: somebody of the account said so.',
});
const SOURCE = oneOf(SUPPRESSION_SOURCES, { description: 'By which way it came.' });
/** Words for the record. */
export const REASON = Type.String({
  minLength: 1,
  maxLength: SUPPRESSION_REASON_LENGTH_MAX,
  description: 'For the record. Whoever is erased takes the words of the record with him.',
  examples: ['He asked by telephone on 3 March.'],
});

/** What is given of a new suppression. */
export const SuppressionInput = Type.Object(
  {
    number: NUMBER,
    kind: KIND,
    senderId: Type.Optional(
      nullable(Type.String({ pattern: '^snd_[0-9a-z]{13,26}$', description: 'For this sender only.' })),
    ),
    reason: Type.Optional(REASON),
  },
  { additionalProperties: false },
);

/** A suppression in an answer. */
export const SuppressionOutput = Type.Object({
  id: idOf('sup'),
  kind: KIND,
  number: nullable(Type.String({ description: 'E.164; null once its owner has been erased.' })),
  senderId: nullable(Type.String({ description: 'Null: it holds for every sender.' })),
  source: SOURCE,
  reason: nullable(Type.String()),
  addedBy: Type.String({ description: 'A person, a key, or system.' }),
  importId: nullable(Type.String()),
  createdAt: INSTANT,
});

/** What a parent is told who may not see what else is known of the number. */
export const SuppressionTaken = Type.Object({ kind: KIND, senderId: nullable(Type.String()) });

/** Whether a number may be texted. */
export const NumberStanding = Type.Object({
  suppressedAs: nullable(KIND),
  suppressions: Type.Array(SuppressionOutput),
});

/** A suppression that came or went. */
export const SuppressionChangeOutput = Type.Object({
  what: oneOf(['added', 'removed'], { description: 'What became of it.' }),
  kind: KIND,
  senderId: nullable(Type.String()),
  source: SOURCE,
  reason: nullable(Type.String()),
  importId: nullable(Type.String()),
  who: Type.String(),
  via: Type.String(),
  at: INSTANT,
});

/** A suppression as it is shown. */
export function suppressionView(found: Suppression): Static<typeof SuppressionOutput> {
  return { ...found, createdAt: found.createdAt.toISOString() };
}

/** Where a number stands, the gravest of its suppressions first. */
export function standingView(found: readonly Suppression[]): Static<typeof NumberStanding> {
  const suppressions = found
    .toSorted((one, other) => SUPPRESSION_KINDS.indexOf(one.kind) - SUPPRESSION_KINDS.indexOf(other.kind))
    .map(suppressionView);
  return { suppressedAs: gravestSuppression(found.map((one) => one.kind)), suppressions };
}

/** A change of a number's suppressions as it is shown. */
export function suppressionChangeView({
  key: _key,
  ...change
}: SuppressionChange): Static<typeof SuppressionChangeOutput> {
  return { ...change, at: change.at.toISOString() };
}
