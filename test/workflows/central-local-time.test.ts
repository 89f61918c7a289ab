import { describe, expect, it } from 'vitest';
import { orderAction } from '../../db/campaign-orders.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { withAccount } from '../../db/database.ts';
import type { MessageOrder } from '../../db/campaign-step/message-orders.ts';
import { instantOf } from '../../domain/schedule.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import type { SeededParent } from '../support/seed-central.ts';
import {
  branchOf,
  type CentralUnderTest,
  launchCentral,
  letPass,
  refusePhrase,
  settle,
  tryAgain,
} from './central-world.ts';
import { at, DAY_MS, HOUR_MS, useWorkflowWorld, ZONE } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
const TEXT = 'News of {{account.senderName}}, reply STOP to opt out.';
const ZONES = [ZONE, 'America/Los_Angeles'];
const CHILDREN = ZONES.map((timeZone) => ({ contacts: 1, timeZone }));

/** Pauses a central campaign of which nothing was made yet. */
async function pauseAtOnce(campaignId: string, { parent }: SeededParent): Promise<void> {
  const now = await world().now();
  const { accountId, actor } = parent;
  await withAccount(world().db, accountId, async (trx) => {
    const campaign = await lockCampaign(trx, campaignId);
    if (campaign === null) throw new Error('The campaign is gone.');
    await orderAction(trx, { campaign, name: 'pause', args: {}, actor, at: now });
  });
}

/** When each branch was texted, by the clocks where it is. */
function sentAtLocally(): Record<string, string> {
  return Object.fromEntries(
    world().texts.map(({ text, at: sentAt }) => {
      const branch = branchOf(text);
      const zone = ZONES[Number(branch.slice('Branch '.length)) - 1] ?? 'UTC';
      return [branch, toLocal(sentAt, zone).slice(11, 16)];
    }),
  );
}

it.each([
  ['no part of which was made yet', pauseAtOnce],
  ['whose parts were made before it was paused', undefined],
])(
  'a resume that sends what is overdue, of a campaign %s, texts nobody before the local time',
  async (_name, beforeRun) => {
    const morning = await strike(9);
    const central = await launchCentral(
      world(),
      CHILDREN,
      {
        start: 'scheduled',
        timing: 'local_time',
        // Also whoever would have expired meanwhile: the word to send it counts anew.
        messages: [{ text: TEXT, schedule: at(morning + HOUR_MS), expiresAfterMs: 30 * MINUTE_MS }],
      },
      undefined,
      beforeRun === undefined ? {} : { beforeRun },
    );
    await world().pass(10 * MINUTE_MS);
    if (beforeRun === undefined) await central.order('pause');
    await world().passUntil(morning + 2 * HOUR_MS);
    const [messageId = ''] = central.messageIds;
    const resumed = await central.order('resume', { overdue: [{ messageId, do: 'send' }] });
    expect(resumed).toEqual({ state: 'applied', reason: null });
    await world().passUntil(morning + 3.5 * HOUR_MS);
    expect(sentAtLocally()).toEqual({ 'Branch 1': '11:00' });
    await world().passUntil(morning + 5 * HOUR_MS);
    expect(sentAtLocally()).toEqual({ 'Branch 1': '11:00', 'Branch 2': '10:00' });
  },
);

/** New times of the messages that a restart names, the first of which everybody has sent by then. */
const RESTARTED_AT = ['10:00', '11:00', '12:00'];

interface RestartedCentral {
  readonly central: CentralUnderTest;
  /** The day on which the messages are sent again, as everywhere. */
  readonly day: string;
  readonly withdraw: () => Promise<unknown>;
}

/**
 * A campaign that both branches had sent the first message of when it was stopped, restarted for the day after, where the
 * branch in Los Angeles is stopped since its content is refused by now.
 */
async function restartWithoutWest(phrase: string): Promise<RestartedCentral> {
  const morning = await strike(9);
  const [today, day] = [morning, morning + DAY_MS].map((instant) => toLocal(instant, ZONE).slice(0, 10));
  const central = await launchCentral(
    world(),
    [...ZONES].map((timeZone) => ({ contacts: 2, timeZone })),
    {
      start: 'scheduled',
      timing: 'local_time',
      messages: ['10:00', '17:00', '18:00'].map((time, index) => ({
        text: `${WORDS[index] ?? ''}: ${phrase}. ${TEXT}`,
        schedule: { local: `${today}T${time}`, zone: ZONE },
      })),
    },
  );
  await world().passUntil(morning + 4.5 * HOUR_MS);
  await central.order('stop');
  await settle(world(), central);
  expect(await central.states()).toEqual(['stopped by_parent', 'stopped by_parent']);
  expect(sentLocally('Branch 2')).toEqual(['First 10:00', 'First 10:00']);

  const withdraw = await refusePhrase(world(), phrase);
  await letPass(world(), central, 0);
  const schedules = new Map(
    central.messageIds.map((id, index) => [id, { local: `${day}T${RESTARTED_AT[index]}`, zone: ZONE }]),
  );
  const messages = [...schedules].map(([messageId, schedule]) => ({ messageId, ...schedule }));
  expect((await central.order('restart', { messages }, schedules)).state).toBe('applied');
  await settle(world(), central);
  expect(await central.states()).toEqual(['handed_over', 'stopped content_refused']);
  return { central, day: day ?? '', withdraw };
}

const WORDS = ['First', 'Second', 'Third'];

/** The messages that a branch has sent, to each person, and when by the clocks where it is. */
function sentLocally(branch: string): string[] {
  const zone = ZONES[Number(branch.slice('Branch '.length)) - 1] ?? 'UTC';
  return world()
    .texts.filter(({ text }) => branchOf(text) === branch)
    .map(({ text, at: sentAt }) => `${text.split(':')[0] ?? ''} ${toLocal(sentAt, zone).slice(11, 16)}`)
    .toSorted();
}

const twice = (...sent: readonly string[]): string[] => sent.flatMap((one) => [one, one]);

/** Lets this time come in Los Angeles. */
async function passUntilWest(local: string): Promise<void> {
  await world().passUntil(instantOf({ local, zone: 'America/Los_Angeles' }) ?? Number.NaN);
}

/** Both people of the branch in Los Angeles have had these and nothing else, and neither has anybody in New York. */
async function expectSent({ central, day }: RestartedCentral, ...west: readonly string[]): Promise<void> {
  await passUntilWest(`${day}T15:00`);
  await settle(world(), central);
  expect(sentLocally('Branch 1')).toEqual(twice('First 10:00', 'Second 11:00', 'Third 12:00'));
  expect(sentLocally('Branch 2')).toEqual(twice('First 10:00', ...west));
  const received = world().texts.map(({ text, to }) => `${branchOf(text)} ${text.split(':')[0] ?? ''} ${to}`);
  expect(new Set(received).size).toBe(received.length);
  expect(await central.states()).toEqual(['done', 'done']);
  expect(await central.status()).toBe('finished');
}

describe('a part at the same local time that a restart has stopped for its content, tried again', () => {
  it.each([
    ['before its local time, which has passed elsewhere, texts at that', '10:30', 'Second 11:00'],
    ['when one of its messages is overdue sends that at once', '11:30', 'Second 11:30'],
  ])('%s, and the later one at its own time', async (_name, time, second) => {
    const restarted = await restartWithoutWest(`Amber chance at ${time.replace(':', ' ')}`);
    await passUntilWest(`${restarted.day}T${time}`);
    await restarted.withdraw();
    expect((await tryAgain(world(), restarted.central, 1)).kind).toBe('resumed');
    await expectSent(restarted, second, 'Third 12:00');
  });

  it('when two of its messages are overdue where it is asks about these, and does as it is told', async () => {
    const restarted = await restartWithoutWest('Ivory chance');
    const { central, day, withdraw } = restarted;
    await passUntilWest(`${day}T12:30`);
    await withdraw();
    const [, second = '', third = ''] = central.messageIds;
    expect(await tryAgain(world(), central, 1)).toEqual({ kind: 'overdue', messageIds: [second, third] });
    expect(await central.states()).toEqual(['done', 'stopped content_refused']);
    const words: readonly MessageOrder[] = [
      { messageId: second, do: 'skip' },
      { messageId: third, do: 'send' },
    ];
    expect((await tryAgain(world(), central, 1, words)).kind).toBe('resumed');
    await expectSent(restarted, 'Third 12:30');
  });
});

it('a resume asks about messages that became due in a later zone during the pause, and each person there gets what it says', async () => {
  const morning = await strike(9);
  const central = await launchCentral(
    world(),
    ZONES.map((timeZone) => ({ contacts: 2, timeZone })),
    {
      start: 'scheduled',
      timing: 'local_time',
      messages: [1, 2].map((hours) => ({
        text: `Part ${hours} of ${TEXT}`,
        schedule: at(morning + hours * HOUR_MS),
      })),
    },
  );
  // Both have begun in New York, and Los Angeles has half past eight.
  await world().passUntil(morning + 2.5 * HOUR_MS);
  expect(await central.order('pause')).toEqual({ state: 'applied', reason: null });
  const inEast = ['Branch 1: Part 1', 'Branch 1: Part 1', 'Branch 1: Part 2', 'Branch 1: Part 2'];
  expect(textsByBranch()).toEqual(inEast);

  await world().passUntil(morning + 5.25 * HOUR_MS);
  const [first = '', second = ''] = central.messageIds;
  const asks = { state: 'refused', reason: expect.stringMatching(/^More than one message is overdue/) };
  expect(await central.order('resume')).toEqual(asks);
  expect(await central.order('resume', { overdue: [{ messageId: first, do: 'skip' }] })).toEqual(asks);
  await world().pass(HOUR_MS);
  expect(textsByBranch()).toEqual(inEast);

  const words = [{ messageId: first, do: 'skip' } as const, { messageId: second, do: 'send' } as const];
  const resumed = await central.order('resume', { overdue: words });
  expect(resumed).toEqual({ state: 'applied', reason: null });
  await world().pass(HOUR_MS);
  const inWest = ['Branch 2: Part 2', 'Branch 2: Part 2'];
  expect(textsByBranch()).toEqual([...inEast, ...inWest]);
  // Each person got each message once.
  expect(new Set(world().texts.map(({ to, text }) => `${to} ${text}`)).size).toBe(6);
  await settle(world(), central);
  expect(await central.status()).toBe('finished');
});

/** Which branch has sent which of several messages, once for each person. */
function textsByBranch(): string[] {
  return world()
    .texts.map(({ text }) => `${branchOf(text)}: ${text.slice(0, 'Part 1'.length)}`)
    .toSorted();
}
