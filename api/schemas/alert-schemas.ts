import { Type } from 'typebox';
import { ALERT_KINDS, ALERT_SEVERITIES, ALERT_STATES, ALERT_SUBJECTS } from '../../domain/alert.ts';
import { PageQuery } from '../pages.ts';
import { ActorOutput, idOf, INSTANT, nullable, oneOf } from './common.ts';

const VALUES_MAX = 50;
const Kind = oneOf(ALERT_KINDS, { description: 'What is the matter.' });
const Severity = oneOf(ALERT_SEVERITIES, {
  description: 'critical stops texts, warning will or may, info is good to know.',
});
const State = oneOf(ALERT_STATES, {
  description: 'open; acknowledged by somebody who takes care of it; resolved because its cause is gone.',
});

/** Something that needs somebody. */
export const AlertOutput = Type.Object({
  id: idOf('alt'),
  kind: Kind,
  severity: Severity,
  state: State,
  subject: Type.Object(
    { kind: oneOf(ALERT_SUBJECTS, { description: 'The kind of thing.' }), id: Type.String() },
    { description: 'What it concerns.' },
  ),
  campaignId: nullable(Type.String()),
  cause: Type.String({ examples: ['sender_disabled'] }),
  reason: Type.String({ examples: ['The sender is disabled.'] }),
  remedy: Type.String({ examples: ['Enable it, then resume.'] }),
  count: Type.Integer({ description: 'How often the cause was seen: one alert a cause, not one an event.' }),
  firstSeenAt: INSTANT,
  lastSeenAt: INSTANT,
  acknowledgedAt: nullable(INSTANT),
  acknowledgedBy: nullable(ActorOutput),
  resolvedAt: nullable(INSTANT),
});

/** Which alerts. */
export const AlertQuery = Type.Object(
  {
    ...PageQuery.properties,
    kind: Type.Optional(Type.Array(Kind, { maxItems: ALERT_KINDS.length })),
    severity: Type.Optional(Type.Array(Severity, { maxItems: ALERT_SEVERITIES.length })),
    state: Type.Optional(Type.Array(State, { maxItems: ALERT_STATES.length })),
    campaignId: Type.Optional(Type.Array(idOf('cmp'), { maxItems: VALUES_MAX })),
    subjectId: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 40 }), { maxItems: VALUES_MAX }),
    ),
  },
  { additionalProperties: false },
);
