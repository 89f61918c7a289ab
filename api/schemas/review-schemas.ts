import { type Static, Type } from 'typebox';
import { PART_REFUSALS, PART_WARNINGS } from '../../domain/central/part-review.ts';
import { CENTRAL_TIMINGS } from '../../domain/central/part-states.ts';
import { START_MODES } from '../../domain/campaign-status.ts';
import { ROUND_KINDS } from '../../domain/round.ts';
import { MessageScheduleInput } from './action-schemas.ts';
import { WarningOutput } from './message-schemas.ts';
import { idOf, INSTANT, nullable, oneOf } from './common.ts';

/** What a review is for. */
export const ReviewInput = Type.Object(
  {
    start: Type.Optional(
      oneOf(START_MODES, {
        description: 'How a draft would be launched, or a prepared campaign started: now or at its schedule.',
      }),
    ),
    messages: Type.Optional(
      Type.Array(MessageScheduleInput, {
        minItems: 1,
        maxItems: 50,
        description: 'The schedules with which a stopped campaign would be restarted.',
      }),
    ),
    round: Type.Optional(
      oneOf(ROUND_KINDS, { description: 'Which round of a finished campaign would be ordered.' }),
    ),
  },
  { additionalProperties: false, examples: [{ start: 'now' }] },
);
export type ReviewInput = Static<typeof ReviewInput>;

const Count = Type.Integer({ minimum: 0 });
const Cost = Type.Object({ amountMicro: Type.Integer(), currency: Type.Literal('USD') });
const PartCost = Type.Object({
  amountMicro: Type.Integer({ examples: [1_480_000] }),
  currency: Type.Literal('USD'),
});
const LeftOut = Type.Object({
  reason: Type.String(),
  count: Count,
  example: Type.Object(
    { contactId: Type.String(), number: nullable(Type.String()) },
    { description: 'The contact known longest; without a number once it is deleted.' },
  ),
});

const MessageReview = Type.Object({
  messageId: idOf('msg'),
  position: Type.Integer(),
  recipients: Type.Integer({ minimum: 0, description: 'Who would get it.' }),
  leftOut: Type.Array(LeftOut),
  segments: Count,
  cost: Cost,
  dueAt: nullable(INSTANT),
  startsAt: nullable(INSTANT),
  endsAt: nullable(INSTANT),
  expiresAt: nullable(INSTANT),
  rollsOver: nullable(
    Type.Object(
      {
        why: oneOf(['quiet_hours', 'daily_cap'], {
          description: 'What interrupts it first: quiet hours, or a daily cap of its sender that is used up.',
        }),
        count: Count,
        closesAt: INSTANT,
        opensAt: INSTANT,
      },
      { description: 'Who is texted only after it was interrupted.' },
    ),
  ),
  expires: nullable(
    Type.Object({ count: Count, at: INSTANT }, { description: 'Who is not texted before it expires.' }),
  ),
});

/** Plan figures of one account: the only numbers that a parent gets without being granted more. */
export const PartReviewOutput = Type.Object({
  accountId: idOf('acc'),
  name: Type.String({ examples: ['Harbour Bakery Reno'] }),
  timeZone: Type.String({ examples: ['America/Los_Angeles'] }),
  lists: Type.Integer({ minimum: 0, examples: [1] }),
  recipients: Type.Integer({ minimum: 0, description: 'Who would be texted.', examples: [185] }),
  segments: Type.Integer({ minimum: 0, examples: [185] }),
  cost: PartCost,
  messages: Type.Array(
    Type.Object({
      position: Type.Integer({ examples: [1] }),
      recipients: Type.Integer({ minimum: 0, examples: [185] }),
      segments: Type.Integer({ minimum: 0, examples: [185] }),
      cost: PartCost,
      dueAt: nullable(INSTANT),
      startsAt: nullable(INSTANT),
      endsAt: nullable(INSTANT),
      waits: Type.Boolean({
        description: "It lies in the account's quiet hours, and waits until they end.",
        examples: [false],
      }),
    }),
  ),
  warnings: Type.Array(
    Type.Object({
      code: Type.String({ examples: ['registration_lapsed'] }),
      message: Type.String({ examples: [PART_WARNINGS.registration_lapsed] }),
    }),
  ),
  refusals: Type.Array(
    Type.Object({
      code: Type.String({ examples: ['schedule-past'] }),
      message: Type.String({ examples: [PART_REFUSALS['schedule-past']] }),
    }),
  ),
});

/** What a launch would do. */
export const ReviewOutput = Type.Object({
  token: nullable(
    Type.String({ description: 'What the action takes as reviewToken; null while something refuses it.' }),
  ),
  tokenExpiresAt: nullable(INSTANT),
  action: oneOf(['launch', 'start', 'restart', ...ROUND_KINDS], {
    description: 'The action that it is a review of.',
  }),
  recipients: Type.Integer({
    minimum: 0,
    description: 'Whom the audience holds; of a restart and a round those of them who are left for it.',
  }),
  leftOut: Type.Array(LeftOut, {
    description:
      'Who of them is not texted, and why; excluded_list counts who is no recipient because of an excluded list.',
  }),
  segments: Count,
  cost: Cost,
  estimated: Type.Boolean({ description: 'Segments, cost and times are estimates from a sample.' }),
  rendered: nullable(Type.Integer({ description: 'How many people were rendered for the estimate.' })),
  messages: Type.Array(MessageReview),
  central: nullable(
    Type.Object(
      {
        accounts: Type.Integer({ minimum: 0, examples: [40] }),
        lists: Type.Integer({ minimum: 0, examples: [52] }),
        ready: Type.Integer({ minimum: 0, description: 'Accounts that can be sent for.', examples: [39] }),
        faulty: Type.Integer({
          minimum: 0,
          description: 'Accounts with a warning or a refusal.',
          examples: [1],
        }),
        waiting: Type.Integer({
          minimum: 0,
          description: 'Accounts that wait for the end of their quiet hours.',
          examples: [6],
        }),
        timing: oneOf(CENTRAL_TIMINGS, {
          description: 'At one instant, or at the local time of each account.',
        }),
        items: Type.Array(PartReviewOutput, {
          description:
            'The first accounts, those with something to look at before the others; all of them stand at /v1/campaigns/{id}/reviews/{token}/accounts.',
        }),
      },
      { description: 'Of a campaign that is sent by sub-accounts.' },
    ),
  ),
  warnings: Type.Array(Type.Object({ ...WarningOutput.properties, messageId: nullable(Type.String()) })),
  refusals: Type.Array(Type.Object({ pointer: Type.String(), code: Type.String(), message: Type.String() }), {
    description: 'What would refuse, reject or suspend it, each with how to mend it.',
  }),
});
