import type { Static } from 'typebox';

import type { Campaign } from '../../db/campaigns.ts';
import { zonesOfParts } from '../../db/central/zones-of-parts.ts';
import type { Trx } from '../../db/database.ts';
import type { Message } from '../../db/messages.ts';
import { overdueMessages } from '../../db/overdue-messages.ts';
import { persistingCause } from '../../db/suspend-causes.ts';
import { roleOf } from '../../domain/campaign-actions.ts';
import { PART_REFUSALS, refusalInZone } from '../../domain/central/part-review.ts';
import {
  type AccountClock,
  type LaunchIssue,
  type ScheduledMessage,
  scheduleIssues,
} from '../../domain/launch-check.ts';
import { causePersists, Problem } from '../problem.ts';
import type {
  LaunchInput,
  RestartInput,
  ResumeInput,
  SchedulesInput,
  StartInput,
} from '../schemas/action-schemas.ts';

/** What an action's own rules look at, and what they may refuse. */
export interface Check<Body> {
  readonly trx: Trx;
  readonly campaign: Campaign;
  readonly messages: readonly Message[];
  readonly clock: AccountClock;
  readonly body: Body;
  readonly now: number;
}

/** Throws the problem of the first issue, with all issues as its errors. */
export function refuseIssues(issues: readonly LaunchIssue[]): void {
  const [first] = issues;
  if (first === undefined) return;
  const errors = issues.map((issue) => ({ ...issue }));
  if (first.code === 'quiet-hours') throw new Problem('quiet-hours', first.message, { errors });
  if (first.code === 'missing') {
    throw new Problem('not-launchable', 'Something is missing; each is named with how to give it.', {
      errors,
    });
  }
  throw new Problem('schedule-refused', 'A schedule is refused; each is named with how to mend it.', {
    errors,
  });
}

/** The schedules of messages, with where they stand. */
export function schedulesOf(messages: readonly Message[]) {
  return messages.map((message, index) => ({
    pointer: `/messages/${index}/schedule`,
    schedule:
      message.scheduleLocal === null || message.scheduleZone === null
        ? null
        : { local: message.scheduleLocal, zone: message.scheduleZone },
  }));
}

/** A launch: schedules, and whether the sender can send what the messages hold. */
export async function checkLaunch({
  trx,
  campaign,
  messages,
  clock,
  body,
  now,
}: Check<Static<typeof LaunchInput>>): Promise<void> {
  // What refuses a central launch its review looks at, which is demanded of it.
  if (roleOf(campaign) === 'central') return;
  refuseIssues(scheduleIssues(body.start, now, clock, schedulesOf(messages)));
  const errors = await mmsIssues(trx, campaign, messages);
  if (errors.length > 0) throw new Problem('not-launchable', 'The sender cannot send MMS.', { errors });
}

/** Media that the sender cannot send. */
export async function mmsIssues(
  trx: Trx,
  campaign: Campaign,
  messages: readonly Message[],
): Promise<LaunchIssue[]> {
  const withMedia = messages.findIndex((message) => message.mediaIds.length > 0);
  if (withMedia === -1) return [];
  const sender = await trx
    .selectFrom('senders')
    .where('id', '=', campaign.senderId)
    .select('supports_mms')
    .executeTakeFirst();
  if (sender?.supports_mms === true) return [];
  return [
    {
      pointer: `/messages/${withMedia}/mediaIds`,
      code: 'mms-unsupported',
      message: 'Remove the media, or choose a sender that can send MMS.',
    },
  ];
}

/** A resume: the cause of a suspension is gone, and there is a word for each message that is overdue. */
export async function checkResume(check: Check<Static<typeof ResumeInput>>): Promise<void> {
  await refusePersisting(check);
  const { trx, campaign, body, now } = check;
  const overdue = await overdueMessages(trx, campaign.id, now);
  const given = body.overdue ?? [];
  const unanswered = overdue.filter((id) => !given.some((one) => one.messageId === id));
  if (overdue.length > 1 && unanswered.length > 0) {
    throw wordsMissing(unanswered);
  }
  await refuseSchedulesOfWords(check, given);
}

type Words = NonNullable<Static<typeof ResumeInput>['overdue']>;

/** What is said of overdue messages, as an order keeps it. */
export function ordersOfWords(words: Words = []) {
  return words.map((one) =>
    'do' in one ? one : { messageId: one.messageId, local: one.schedule.local, zone: one.schedule.zone },
  );
}

/** Refuses what goes on with overdue messages of which these need a word and have none. */
export function wordsMissing(messageIds: readonly string[]): Problem {
  return new Problem(
    'overdue-messages',
    'Messages became due meanwhile, several or one that has expired. Say for each that is named: send, skip, or a new schedule.',
    { errors: messageIds.map((id) => ({ pointer: '/overdue', message: `Say what becomes of ${id}.` })) },
  );
}

/** What a schedule is looked at by. */
type Clocks = Pick<Check<unknown>, 'trx' | 'campaign' | 'clock' | 'now'>;

/**
 * Refuses new schedules of overdue messages that are not in permitted hours of the future; `only`: of the part of this
 * account alone.
 */
export async function refuseSchedulesOfWords(
  clocks: Clocks,
  words: Words = [],
  only?: string,
): Promise<void> {
  const schedules = words.flatMap((one, index) =>
    'do' in one ? [] : [{ pointer: `/overdue/${index}/schedule`, schedule: one.schedule }],
  );
  await refuseSchedules(clocks, schedules, only);
}

/** What only the carrier can tell is left open: the worker that carries the order out asks it. */
async function refusePersisting({ trx, campaign, now }: Check<unknown>): Promise<void> {
  const persisting = await persistingCause(trx, campaign.accountId, campaign.id, now, () => null);
  if (persisting !== null) throw causePersists(persisting.cause, persisting.reason);
}

/** A restart: the cause of a suspension before the stop is gone, and the new schedules are in order. */
export async function checkRestart(check: Check<Static<typeof RestartInput>>): Promise<void> {
  await refusePersisting(check);
  await checkSchedules(check, ['cancelled', 'cut']);
}

/** New schedules: of messages that can still have one, in permitted hours of the future. */
export async function checkSchedules(
  check: Check<Static<typeof SchedulesInput>>,
  statuses: readonly Message['status'][],
): Promise<void> {
  const { messages, body } = check;
  checkSchedulable(body.messages, messages, statuses);
  const schedules = body.messages.map((one, index) => ({
    pointer: `/messages/${index}/schedule`,
    schedule: one.schedule,
  }));
  await refuseSchedules(check, schedules);
}

/** Refuses schedules that lie in quiet hours or in the past, wherever their local time counts. */
async function refuseSchedules(
  clocks: Clocks,
  schedules: readonly ScheduledMessage[],
  only?: string,
): Promise<void> {
  if (clocks.campaign.timing === 'local_time') {
    refuseIssues(await localTimeIssues(clocks, schedules, only));
  } else {
    refuseIssues(scheduleIssues('scheduled', clocks.now, clocks.clock, schedules));
  }
}

/** At the same local time everywhere: in the parent's permitted hours, and in no account's past. */
async function localTimeIssues(
  { trx, campaign, clock, now }: Clocks,
  schedules: readonly ScheduledMessage[],
  only?: string,
): Promise<LaunchIssue[]> {
  const own = schedules.map(({ pointer, schedule }) => ({
    pointer,
    schedule: schedule === null ? null : { local: schedule.local, zone: clock.timeZone },
  }));
  const accounts = await zonesOfParts(trx, campaign.id, only);
  return [
    ...scheduleIssues('scheduled', now, clock, own).filter(({ code }) => code !== 'schedule-past'),
    ...schedules.flatMap(({ pointer, schedule }) =>
      accounts.flatMap(({ accountId, name, timeZone }) => {
        const code = refusalInZone(schedule, 'local_time', timeZone, now);
        if (code === null) return [];
        return [{ pointer, code, message: `${name ?? accountId} (${timeZone}): ${PART_REFUSALS[code]}` }];
      }),
    ),
  ];
}

/** Refuses new schedules of messages that are none of the campaign's, or can have none any more. */
export function checkSchedulable(
  given: Static<typeof SchedulesInput>['messages'],
  messages: readonly Message[],
  statuses: readonly Message['status'][],
): void {
  for (const [index, one] of given.entries()) {
    const message = messages.find((candidate) => candidate.id === one.messageId);
    if (message !== undefined && statuses.includes(message.status)) continue;
    throw new Problem('schedule-refused', 'A message that is named cannot be given a schedule now.', {
      errors: [
        {
          pointer: `/messages/${index}/messageId`,
          message:
            message === undefined
              ? 'It is no message of this campaign. Correct its id or leave it out.'
              : `It is ${message.status}. Leave it out.`,
        },
      ],
    });
  }
}

/** A start of a campaign that was prepared. */
export function checkStart({ body, now, clock, messages }: Check<Static<typeof StartInput>>): void {
  refuseIssues(scheduleIssues(body.start, now, clock, schedulesOf(messages)));
}
