import { type Static, Type } from 'typebox';
import { MESSAGE_STATUSES } from '../../domain/campaign-status.ts';
import { idOf, INSTANT, nullable, oneOf } from './common.ts';

/** A wall-clock schedule. */
export const ScheduleInput = Type.Object(
  {
    local: Type.String({
      maxLength: 19,
      description:
        'Local time. One that does not exist on that day is refused; of an ambiguous one the first counts.',
      examples: ['2026-12-01T10:00'],
    }),
    zone: Type.String({ maxLength: 64, description: 'IANA time zone.', examples: ['America/New_York'] }),
  },
  { additionalProperties: false },
);

/** What an owner gives of a message. */
export const MessageInput = Type.Object(
  {
    type: Type.Optional(Type.Literal('standard')),
    text: Type.Optional(
      Type.String({ maxLength: 1_600, examples: ['Hi {{firstName|there}}, our spring sale begins today.'] }),
    ),
    mediaIds: Type.Optional(Type.Array(idOf('med'), { maxItems: 10, uniqueItems: true })),
    schedule: Type.Optional(nullable(ScheduleInput)),
    usePrefix: Type.Optional(
      Type.Boolean({
        description: "Whether the account's prefix is added where the text lacks it; true unless told.",
      }),
    ),
    useSuffix: Type.Optional(Type.Boolean({ description: 'The same for the suffix.' })),
    expiresAfterMs: Type.Optional(
      Type.Integer({
        minimum: 60_000,
        maximum: 30 * 24 * 60 * 60_000,
        description: 'How long after it is due a recipient may still be texted; 24 hours unless told.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type MessageInput = Static<typeof MessageInput>;

/** Something that an author should look at; it prevents nothing. */
export const WarningOutput = Type.Object({
  code: Type.String(),
  message: Type.String(),
  subject: nullable(Type.String()),
});

const Reason = Type.Object({ reason: Type.String(), count: Type.Integer() });

/** A message's report. */
export const ReportOutput = Type.Object({
  recipients: Type.Integer(),
  accepted: Type.Integer(),
  delivered: Type.Integer(),
  undelivered: Type.Array(Reason),
  failed: Type.Array(Reason),
  awaitingReport: Type.Integer(),
  rejected: Type.Array(Reason),
  unknown: Type.Integer({
    description:
      'Nobody knows whether the carrier took it. Sent again by a round, and by itself only as the account has chosen with resendAbsent.',
  }),
  unknownAs: Type.Object(
    { unresolved: Type.Integer(), absent: Type.Integer(), final: Type.Integer() },
    {
      description:
        "The unknown ones by what the carrier's list has said. unresolved: it has not told yet, or could mean more than one thing. absent: asked long enough after the post, it does not have them. final: a day has passed, nothing more will be told.",
    },
  ),
  skipped: Type.Array(Reason),
  expired: Type.Integer(),
  deferred: Type.Integer({ description: 'Certainly not accepted yet; will be tried again.' }),
  inFlight: Type.Integer(),
  waiting: Type.Integer(),
  segments: Type.Integer(),
  cost: Type.Object({ amountMicro: Type.Integer(), currency: Type.Literal('USD') }),
});

/** What happens next: what, at what instant, why then, and for how many. */
export const NextOutput = Type.Object({
  what: Type.String(),
  at: nullable(Type.String({ description: 'Null: it waits for somebody, or is open.' })),
  why: Type.String(),
  count: nullable(Type.Integer({ description: 'Null while the audience is not frozen.' })),
});

/** A message as the API shows it. */
export const MessageOutput = Type.Object({
  id: idOf('msg'),
  position: Type.Integer(),
  type: Type.String(),
  status: oneOf(MESSAGE_STATUSES, { description: 'The status of this message.' }),
  text: Type.String(),
  mediaIds: Type.Array(Type.String()),
  schedule: nullable(Type.Object({ local: Type.String(), zone: Type.String() })),
  dueAt: nullable(INSTANT),
  expiresAfterMs: Type.Integer(),
  expiresAt: nullable(INSTANT),
  beganAt: nullable(INSTANT),
  endedAt: nullable(INSTANT),
  usePrefix: Type.Boolean(),
  useSuffix: Type.Boolean(),
  warnings: Type.Array(WarningOutput, {
    description:
      "What the law or the carriers want although the message has the account's prefix or suffix off.",
  }),
  next: NextOutput,
  report: nullable(ReportOutput),
});

/** For whom a message is shown. */
export const EXAMPLE_FIELDS = {
  contactId: Type.Optional(idOf('con')),
  accountId: Type.Optional(
    idOf('acc', {
      description:
        'Of a central campaign: the sub-account whose fields, prefix, suffix and contacts are taken; the first of its preset unless told.',
    }),
  ),
};
export const ExampleInput = Type.Object(EXAMPLE_FIELDS, { additionalProperties: false });

/** A message's preview for an example contact. */
export const PreviewOutput = Type.Object({
  text: Type.String(),
  added: Type.Object(
    { prefix: Type.String(), suffix: Type.String() },
    { description: "What the text got of the account's prefix and suffix; empty is nothing." },
  ),
  encoding: oneOf(['gsm7', 'ucs2'], { description: 'GSM-7 has 160 characters to a segment, UCS-2 has 70.' }),
  segments: Type.Integer(),
  units: Type.Integer(),
  remaining: Type.Integer(),
  forcing: Type.Array(Type.Object({ character: Type.String(), replacement: nullable(Type.String()) }), {
    description: 'The characters that force UCS-2, with what could stand for them.',
  }),
  kind: oneOf(['sms', 'mms'], { description: 'MMS as soon as something is attached.' }),
  cost: Type.Object({ amountMicro: Type.Integer(), currency: Type.Literal('USD') }),
  missingFields: Type.Array(Type.String()),
  warnings: Type.Array(WarningOutput),
});
