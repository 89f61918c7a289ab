import { type Static, Type } from 'typebox';
import { CAMPAIGN_ACTIONS } from '../../domain/campaign-actions.ts';
import { CAMPAIGN_STATUSES, MESSAGE_STATUSES, START_MODES } from '../../domain/campaign-status.ts';
import { HOLD_SCOPES } from '../../domain/hold.ts';
import { ROUND_KINDS } from '../../domain/round.ts';
import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import { AlertOutput } from './alert-schemas.ts';
import { RECIPIENT_STATES } from '../../domain/next-of-recipient.ts';
import { ActorOutput, idOf, INSTANT, MONEY, nullable, oneOf } from './common.ts';

/** What an owner gives of a campaign; every field may be left for later while it is a draft. */
export const CampaignInput = Type.Object(
  {
    name: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 200, examples: ['Spring sale'] }))),
    channel: Type.Optional(Type.Literal('sms')),
    kind: Type.Optional(Type.Literal('standard')),
    type: Type.Optional(Type.Literal('outbound')),
    senderId: Type.Optional(nullable(idOf('snd'))),
    listIds: Type.Optional(Type.Array(idOf('lst'), { maxItems: 100, uniqueItems: true })),
    excludedListIds: Type.Optional(Type.Array(idOf('lst'), { maxItems: 100, uniqueItems: true })),
    ownerId: Type.Optional(nullable(idOf('per'))),
    purpose: Type.Optional(
      nullable(
        oneOf(['marketing', 'informational', 'service'], { description: 'Decides which rules bind it.' }),
      ),
    ),
    audience: Type.Optional(
      oneOf(['due', 'launch'], {
        description: 'When the audience is frozen: 15 minutes before the first message (due) or at launch.',
      }),
    ),
    budget: Type.Optional(
      nullable(
        Type.Object(MONEY.properties, {
          additionalProperties: false,
          description:
            'What all its texts may cost together, by estimate. A setting: it may be changed while the campaign runs.',
        }),
      ),
    ),
    acknowledgement: Type.Optional(
      nullable(
        Type.Literal(ACKNOWLEDGEMENT, {
          description: 'The exact words. Who acknowledged and when is recorded.',
        }),
      ),
    ),
  },
  { additionalProperties: false },
);
export type CampaignInput = Static<typeof CampaignInput>;

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

/** Something that an author should look at; it prevents nothing. */
export const WarningOutput = Type.Object({
  code: Type.String(),
  message: Type.String(),
  subject: nullable(Type.String()),
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
  report: ReportOutput,
});

/** An extra pass that the owner has ordered, with its line of the report. */
export const RoundOutput = Type.Object({
  id: idOf('rnd'),
  number: Type.Integer({ description: 'From 1 within the campaign.' }),
  kind: oneOf(ROUND_KINDS, { description: 'Whom it tries again.' }),
  orderedBy: Type.String(),
  orderedAt: INSTANT,
  recipients: Type.Integer(),
  waiting: Type.Integer(),
  accepted: Type.Integer(),
  delivered: Type.Integer(),
  undelivered: Type.Integer(),
  failed: Type.Integer(),
  rejected: Type.Integer(),
  unknown: Type.Integer(),
  leftOut: Type.Integer({
    description: 'Not tried after all: an opt-out, an expiry, or a proof that the text before had arrived.',
  }),
});

/** A campaign with its messages, oldest to newest, what it allows now and what happens next. */
export const CampaignOutput = Type.Object({
  id: idOf('cmp'),
  name: nullable(Type.String()),
  displayName: Type.String({ description: "The name, or 'Untitled campaign' while it has none." }),
  kind: Type.String(),
  type: Type.String(),
  channel: Type.String(),
  status: oneOf(CAMPAIGN_STATUSES, { description: 'The status of this campaign.' }),
  statusReasons: Type.Array(
    Type.Object({ code: Type.String(), message: Type.String(), messageId: Type.Optional(Type.String()) }),
  ),
  archived: Type.Boolean(),
  settled: Type.Boolean({ description: 'Finished, and each unknown has been resolved or is final.' }),
  senderId: nullable(Type.String()),
  listIds: Type.Array(Type.String()),
  excludedListIds: Type.Array(Type.String()),
  ownerId: nullable(Type.String()),
  ownerName: nullable(Type.String()),
  purpose: nullable(Type.String()),
  audience: Type.Object({
    timing: Type.String(),
    recipients: nullable(Type.Integer()),
    frozenAt: nullable(INSTANT),
  }),
  acknowledgement: nullable(
    Type.Object({
      words: Type.String(),
      by: Type.String(),
      byName: nullable(Type.String()),
      at: INSTANT,
    }),
  ),
  budget: nullable(MONEY),
  spent: Type.Object(MONEY.properties, {
    description:
      'What its texts have claimed of the budget, by estimate, unknown ones too. Who was certainly not texted is given back.',
  }),
  missing: Type.Array(Type.Object({ pointer: Type.String(), code: Type.String(), message: Type.String() })),
  launchedAt: nullable(INSTANT),
  startAt: nullable(INSTANT),
  finishedAt: nullable(INSTANT),
  createdBy: Type.String(),
  createdByName: nullable(Type.String()),
  createdAt: INSTANT,
  actions: Type.Array(
    Type.Object({
      name: oneOf(CAMPAIGN_ACTIONS, {
        description: 'The action; retry_failed and resend_unknown are kinds of a round.',
      }),
      allowed: Type.Boolean(),
      reason: nullable(Type.String()),
    }),
  ),
  holds: Type.Array(
    Type.Object({
      id: idOf('hld'),
      scope: oneOf(HOLD_SCOPES, { description: 'How far it reaches.' }),
      scopeId: Type.String(),
      kind: Type.String(),
      cause: nullable(Type.String()),
      reason: Type.String(),
      placedAt: INSTANT,
    }),
    {
      description: 'What keeps it or one of its messages from sending, from the account or installation too.',
    },
  ),
  alerts: Type.Array(AlertOutput, {
    description: 'What is open about it, its sender or that one’s carrier, the latest first.',
  }),
  next: NextOutput,
  report: ReportOutput,
  rounds: Type.Array(RoundOutput, { description: 'Extra passes, in their order.' }),
  messages: Type.Array(MessageOutput),
});

const ReviewToken = Type.Optional(
  Type.String({
    pattern: '^rvw_[0-9a-z]{26}$',
    description: 'Of a review: refused when the action would not do any more what was seen.',
  }),
);

/** How a campaign is launched. */
export const LaunchInput = Type.Object(
  {
    start: oneOf(START_MODES, { description: 'At once, at its first schedule, or prepare only.' }),
    reviewToken: ReviewToken,
  },
  { additionalProperties: false },
);

/** Which round is ordered. */
export const RoundInput = Type.Object(
  {
    kind: oneOf(ROUND_KINDS, {
      description:
        'retry_failed: whoever the carrier never handed the text to. resend_unknown: of whom nobody knows; whoever it did reach gets it twice.',
    }),
    reviewToken: ReviewToken,
  },
  { additionalProperties: false },
);

/** How a prepared campaign is started. */
export const StartInput = Type.Object(
  {
    start: oneOf(['now', 'scheduled'], { description: 'At once, or at its first schedule.' }),
    reviewToken: ReviewToken,
  },
  { additionalProperties: false },
);

/** A new schedule for one message. */
export const MessageScheduleInput = Type.Object(
  { messageId: idOf('msg'), schedule: ScheduleInput },
  { additionalProperties: false },
);

/** New schedules of a reschedule or a restart. */
export const SchedulesInput = Type.Object(
  { messages: Type.Array(MessageScheduleInput, { minItems: 1, maxItems: 50 }) },
  { additionalProperties: false },
);

/** How a stopped campaign is restarted. */
export const RestartInput = Type.Object(
  { messages: Type.Array(MessageScheduleInput, { minItems: 1, maxItems: 50 }), reviewToken: ReviewToken },
  { additionalProperties: false },
);

/** What is to become of messages that became due while the campaign was held. */
export const ResumeInput = Type.Object(
  {
    overdue: Type.Optional(
      Type.Array(
        Type.Union([
          Type.Object(
            {
              messageId: idOf('msg'),
              do: oneOf(['send', 'skip'], { description: 'Send it now, or never.' }),
            },
            { additionalProperties: false },
          ),
          MessageScheduleInput,
        ]),
        { maxItems: 50 },
      ),
    ),
  },
  { additionalProperties: false },
);

/** Why something is stopped, for the log. */
export const ReasonInput = Type.Object(
  { reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })) },
  { additionalProperties: false },
);

/** An action that was ordered. */
export const ActionOutput = Type.Object({
  id: idOf('act'),
  action: Type.String(),
  state: oneOf(['requested', 'applied', 'refused'], {
    description: 'requested: the order stands and is carried out as soon as the engine answers.',
  }),
  reason: nullable(Type.String()),
  inFlight: Type.Integer({
    description:
      'Recipients whose texts may still go out, for what stops something. Nothing beyond them does.',
  }),
  url: Type.String(),
});

/** An action as it is read afterwards: who ordered it, and what became of it. */
export const ActionRecordOutput = Type.Object({
  ...ActionOutput.properties,
  by: ActorOutput,
  via: Type.String(),
  requestedAt: INSTANT,
  answeredAt: nullable(INSTANT),
});

/** One recipient of a message. */
export const RecipientOutput = Type.Object({
  id: Type.Integer({ description: 'His number within the audience, from 1.' }),
  contactId: Type.String(),
  number: nullable(Type.String({ description: 'Null once he has been erased.' })),
  firstName: nullable(Type.String()),
  lastName: nullable(Type.String()),
  state: oneOf(RECIPIENT_STATES, { description: 'Where he stands.' }),
  reason: nullable(Type.String()),
  attempts: Type.Integer(),
});

/** Which recipients, and from where on. */
export const RecipientQuery = Type.Object(
  {
    messageId: Type.Optional(idOf('msg')),
    state: Type.Optional(
      Type.Array(oneOf(RECIPIENT_STATES, { description: 'Several are joined by or.' }), { maxItems: 12 }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 9, pattern: '^[0-9]+$' })),
    pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  },
  { additionalProperties: false },
);

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
