import { type Static, Type } from 'typebox';
import { CAMPAIGN_ACTIONS } from '../../domain/campaign-actions.ts';
import { CAMPAIGN_KINDS, CAMPAIGN_STATUSES } from '../../domain/campaign-status.ts';
import { CENTRAL_TIMINGS, PART_STATES } from '../../domain/central/part-states.ts';
import { SHOWN_HOLD_SCOPES } from '../../domain/hold.ts';
import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import { ROUND_KINDS } from '../../domain/round.ts';
import { AlertOutput } from './alert-schemas.ts';
import { idOf, INSTANT, MONEY, nullable, oneOf } from './common.ts';
import { MessageOutput, NextOutput, ReportOutput } from './message-schemas.ts';

const NO_PARTS = Object.fromEntries(PART_STATES.map((state) => [state, 0]));

/** What an owner gives of a campaign; every field may be left for later while it is a draft. */
export const CampaignInput = Type.Object(
  {
    name: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 200, examples: ['Spring sale'] }))),
    channel: Type.Optional(Type.Literal('sms')),
    kind: Type.Optional(
      oneOf(CAMPAIGN_KINDS, {
        description:
          'standard unless told; central is sent by the sub-accounts of a preset, each in its own name. It cannot be changed.',
      }),
    ),
    presetId: Type.Optional(
      nullable(
        Type.String({
          pattern: '^pre_[0-9a-z]{26}$',
          description: 'Of a central campaign: who sends to whom.',
          examples: ['pre_01m86mtaj9fzxvj3x8dcj53g4n'],
        }),
      ),
    ),
    timing: Type.Optional(
      oneOf(CENTRAL_TIMINGS, {
        description:
          "Of a central campaign: all accounts at one instant, or each at the same local time in its own zone. Each account's quiet hours hold in any case.",
      }),
    ),
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
  {
    additionalProperties: false,
    // Whole bodies: what a standard and a central campaign have apart is refused of the other.
    examples: [
      {
        name: 'Spring sale',
        senderId: 'snd_01m86mtaj9fzxvj3x8dcj53g4n',
        listIds: ['lst_01m86mtaj9fzxvj3x8dcj53g4n'],
        ownerId: 'per_01m86mtaj9fzxvj3x8dcj53g4n',
        purpose: 'marketing',
        acknowledgement: ACKNOWLEDGEMENT,
      },
      {
        kind: 'central',
        name: 'Spring sale everywhere',
        presetId: 'pre_01m86mtaj9fzxvj3x8dcj53g4n',
        timing: 'local_time',
        ownerId: 'per_01m86mtaj9fzxvj3x8dcj53g4n',
        purpose: 'marketing',
        acknowledgement: ACKNOWLEDGEMENT,
      },
    ],
  },
);
export type CampaignInput = Static<typeof CampaignInput>;

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
  kind: oneOf(CAMPAIGN_KINDS, { description: 'Whether the account or its parent sends it.' }),
  sentBy: nullable(
    Type.Object(
      { accountId: idOf('acc'), name: Type.String({ examples: ['Harbour Bakeries'] }) },
      { description: 'The parent that has sent it; only pause, abort, the archive and rounds are yours.' },
    ),
  ),
  central: nullable(
    Type.Object(
      {
        presetId: nullable(Type.String({ examples: ['pre_01m86mtaj9fzxvj3x8dcj53g4n'] })),
        presetName: nullable(Type.String({ examples: ['All bakeries'] })),
        timing: oneOf(CENTRAL_TIMINGS, {
          description: 'At one instant, or at the local time of each account.',
        }),
        accounts: Type.Integer({ description: 'To how many accounts it goes.', examples: [40] }),
        states: Type.Record(Type.String(), Type.Integer(), {
          description: `How many accounts are ${PART_STATES.join(', ')}.`,
          examples: [{ ...NO_PARTS, handed_over: 38, suspended: 1, done: 1 }],
        }),
      },
      {
        description:
          'Of a campaign that is sent by sub-accounts. It has no report: each of them has its own.',
      },
    ),
  ),
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
  spent: nullable(
    Type.Object(MONEY.properties, {
      description:
        'What its texts have claimed of the budget, by estimate, unknown ones too. Who was certainly not texted is given back. Null of a central campaign.',
    }),
  ),
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
      scope: oneOf(SHOWN_HOLD_SCOPES, {
        description: 'How far it reaches; central: the parent keeps the whole campaign.',
      }),
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
  report: nullable(ReportOutput),
  rounds: Type.Array(RoundOutput, { description: 'Extra passes, in their order.' }),
  messages: Type.Array(MessageOutput),
});
