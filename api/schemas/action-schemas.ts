import { Type } from 'typebox';
import { START_MODES } from '../../domain/campaign-status.ts';
import { ROUND_KINDS } from '../../domain/round.ts';
import { ActorOutput, idOf, INSTANT, nullable, oneOf } from './common.ts';
import { ScheduleInput } from './message-schemas.ts';

const ReviewToken = Type.Optional(
  Type.String({
    pattern: '^rvw_[0-9a-z]{26}$',
    description:
      'Of a review: refused when the action would not do any more what was seen. A central campaign demands it.',
    examples: ['rvw_01m86mtaj9fzxvj3x8dcj53g4n'],
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

const Overdue = Type.Array(
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
);

/** What is to become of messages that became due while the campaign was held. */
export const ResumeInput = Type.Object({ overdue: Type.Optional(Overdue) }, { additionalProperties: false });

/** What is to become of messages that became due while an account of a central campaign did not go on. */
export const RetryAccountInput = Type.Object(
  { overdue: Type.Optional(Overdue) },
  {
    additionalProperties: false,
    description:
      'A word for each message that became due meanwhile, if there is more than one, or it has expired: as in a resume, by the ids of the central campaign’s own messages.',
    examples: [
      {
        overdue: [
          { messageId: 'msg_01m86mtaj9fzxvj3x8dcj53g4n', do: 'skip' },
          { messageId: 'msg_01m86mtaj9fzxvj3x8dcj53g4p', do: 'send' },
        ],
      },
    ],
  },
);

/** Why something is stopped, for the log. */
export const ReasonInput = Type.Object(
  {
    reason: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        description: 'Why, for the log and for whoever looks at the campaign.',
        examples: ['The offer in the text has to be checked.'],
      }),
    ),
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

/** An action that was ordered. */
export const ActionOutput = Type.Object({
  id: idOf('act'),
  action: Type.String(),
  state: oneOf(['requested', 'applied', 'refused'], {
    description: 'requested: the order stands and is carried out as soon as the engine answers.',
  }),
  reason: nullable(Type.String()),
  inFlight: nullable(
    Type.Integer({
      description:
        'Recipients whose texts may still go out, for what stops something. Nothing beyond them does. Null for a central campaign, whose recipients are those of its sub-accounts.',
    }),
  ),
  accounts: nullable(
    Type.Object(
      {
        reached: Type.Integer({
          description:
            'Whose part was not over yet when it was ordered. A stop, a restart, an abort and a delete of what is under way count those that were rejected, too, and all but the stop those that were stopped. The archive and a delete of what rests count none.',
        }),
        done: Type.Integer({ description: 'The others: their part was over by then, or the campaign was.' }),
      },
      { description: 'Of a central campaign: how many accounts the action reached.' },
    ),
  ),
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
