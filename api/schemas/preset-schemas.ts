import { Type } from 'typebox';
import { PRESET_SORTS } from '../../db/presets.ts';
import { PAIR_REFUSALS, type PairRefusal } from '../../domain/import/pair-file.ts';
import { PRESET_FAULTS, type PresetFault } from '../../domain/preset.ts';
import { Q, sortedBy } from '../list-query.ts';
import { PageQuery } from '../pages.ts';
import { idOf, INSTANT, nullable, oneOf } from './common.ts';

/** The most pairs of one call; files hold more. */
export const PAIRS_AT_ONCE_MAX = 1_000;

const COUNT = Type.Integer({ minimum: 0, examples: [2] });
const VERSION = Type.Integer({ description: 'What its ETag says.', examples: [3] });

/** What is given of a preset. */
export const PresetInput = Type.Object(
  {
    name: Type.String({
      pattern: '\\S',
      maxLength: 200,
      description: 'Unique in the account without regard to case; blanks around it are removed.',
      examples: ['All bakeries'],
    }),
  },
  { additionalProperties: false },
);

/** Which presets. */
export const PresetQuery = Type.Object(
  { ...PageQuery.properties, q: Q, ...sortedBy(PRESET_SORTS, 'asc') },
  { additionalProperties: false },
);

/** A preset with what it has. */
export const PresetOutput = Type.Object({
  id: idOf('pre'),
  name: Type.String({ examples: ['All bakeries'] }),
  accounts: Type.Integer({ minimum: 0, description: 'How many sub-accounts it has.', examples: [40] }),
  lists: Type.Integer({ minimum: 0, description: 'How many lists of theirs it has.', examples: [52] }),
  faulty: Type.Integer({
    minimum: 0,
    description:
      'With how many of the sub-accounts something is wrong; GET .../accounts?faulty=true says what.',
    examples: [1],
  }),
  version: VERSION,
  createdAt: INSTANT,
});

/** Which sub-accounts of a preset. */
export const PresetAccountQuery = Type.Object(
  {
    ...PageQuery.properties,
    q: Q,
    faulty: Type.Optional(
      Type.Boolean({ description: 'Those with which something is wrong, or nothing; all unless told.' }),
    ),
  },
  { additionalProperties: false },
);

/** A sub-account in a preset: what its parent may see of it, and what is wrong. */
export const PresetAccountOutput = Type.Object({
  accountId: idOf('acc'),
  name: nullable(Type.String({ description: 'Null once it has left.', examples: ['Harbour Bakery Reno'] })),
  timeZone: nullable(Type.String({ examples: ['America/Los_Angeles'] })),
  lists: Type.Array(
    Type.Object({
      id: idOf('lst'),
      name: nullable(Type.String({ description: 'Null when it has been deleted.', examples: ['Regulars'] })),
    }),
  ),
  faults: Type.Array(
    Type.Object({
      code: oneOf(codesOf(PRESET_FAULTS), { description: 'What is wrong, for programs.' }),
      message: Type.String({
        description: 'The same for people, with how to mend it.',
        examples: [PRESET_FAULTS.registration_lapsed],
      }),
    }),
  ),
});

/** Pairs that are added or taken out together. */
export const PairsInput = Type.Object(
  {
    pairs: Type.Array(
      Type.Object({ accountId: idOf('acc'), listId: idOf('lst') }, { additionalProperties: false }),
      {
        minItems: 1,
        maxItems: PAIRS_AT_ONCE_MAX,
        description: 'Sub-accounts and lists of theirs; an account may have several.',
      },
    ),
  },
  { additionalProperties: false },
);

/** What became of pairs that were to be added. */
export const AddedPairsOutput = Type.Object({
  added: COUNT,
  known: Type.Integer({
    minimum: 0,
    description: 'How many were in the preset already.',
    examples: [0],
  }),
  version: VERSION,
});

/** What became of pairs that were to be taken out. */
export const RemovedPairsOutput = Type.Object({ removed: COUNT, version: VERSION });

/** What became of the rows of a file. */
export const ImportedPairsOutput = Type.Object({
  ...AddedPairsOutput.properties,
  refused: Type.Array(
    Type.Object({
      line: Type.Integer({
        description: 'The line of the file on which the row begins, from 1.',
        examples: [17],
      }),
      reason: oneOf(codesOf(PAIR_REFUSALS), { description: 'Why, for programs.' }),
      message: Type.String({
        description: 'The same for people, with how to mend it.',
        examples: [PAIR_REFUSALS.unknown_list],
      }),
    }),
    { description: 'The first rows that were not added.' },
  ),
  refusedRows: Type.Integer({
    minimum: 0,
    description: 'How many rows were not added in all.',
    examples: [1],
  }),
});

function codesOf<Code extends PresetFault | PairRefusal>(
  messages: Readonly<Record<Code, string>>,
): readonly Code[] {
  // An object's keys are what its type says: both are written down as they are.
  return Object.keys(messages) as Code[];
}
