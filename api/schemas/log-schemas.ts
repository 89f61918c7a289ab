import { Type } from 'typebox';
import { ACTOR_VIAS } from '../../domain/actor.ts';
import { LOG_SUBJECTS } from '../../domain/log-line.ts';
import { CursorQuery } from '../pages.ts';
import { ActorOutput, INSTANT, nullable, oneOf } from './common.ts';

const VALUES_MAX = 50;
const Id = Type.String({ minLength: 1, maxLength: 40 });
const Value = nullable(
  Type.Union([
    Type.String(),
    Type.Object({}, { additionalProperties: true, description: 'The fields that changed.' }),
  ]),
);

/** A line of the log. */
export const LogLineOutput = Type.Object({
  id: Type.String(),
  at: INSTANT,
  by: ActorOutput,
  key: nullable(Type.Object({ id: Type.String(), name: nullable(Type.String()) })),
  via: oneOf(ACTOR_VIAS, {
    description:
      "By which way: the API, the account's parent through the API, Temporal's UI or CLI, or the system itself.",
  }),
  what: Type.String({ examples: ['update'] }),
  subject: Type.Object({ kind: Type.String({ examples: ['sender'] }), id: Type.String() }),
  campaignId: nullable(Type.String()),
  from: Value,
  to: Value,
  actionId: nullable(Type.String()),
  detail: Type.Object({}, { additionalProperties: true, description: 'Ids, codes and counts.' }),
});

const several = <Item extends Parameters<typeof Type.Array>[0]>(item: Item, description: string) =>
  Type.Optional(Type.Array(item, { maxItems: VALUES_MAX, description }));

const filters = {
  what: several(Type.String({ pattern: '^[a-z_.]{1,60}$' }), 'Verbs: create, update, launch, ....'),
  subjectKind: several(
    oneOf(LOG_SUBJECTS, { description: 'What the line is about.' }),
    'Kinds of what it is about.',
  ),
  subjectId: several(Id, 'Ids of what it is about.'),
  who: several(Id, 'Ids of people or keys, or the words temporal and system.'),
  keyId: several(Id, 'Keys that were used, whoever acted.'),
  via: several(oneOf(ACTOR_VIAS, { description: 'The way.' }), 'By which way.'),
  atFrom: Type.Optional(Type.String({ format: 'date-time', description: 'From this instant on.' })),
  atTo: Type.Optional(Type.String({ format: 'date-time', description: 'Before this instant.' })),
  order: Type.Optional(oneOf(['asc', 'desc'], { description: 'desc, the newest first, unless told.' })),
};

/** Which lines of a campaign's log. */
export const CampaignLogQuery = Type.Object(
  { ...CursorQuery.properties, ...filters },
  { additionalProperties: false },
);

/** Which lines of an account's log. */
export const LogQuery = Type.Object(
  {
    ...CursorQuery.properties,
    ...filters,
    campaignId: several(Id, 'Campaigns, also deleted ones.'),
  },
  { additionalProperties: false },
);
