import { expect, test } from 'vitest';
import type { MessageOrder } from '../../db/campaign-step/message-orders.ts';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import type { MadePart } from '../../db/central/make-parts.ts';
import { withAccount } from '../../db/database.ts';
import { listMessages } from '../../db/messages.ts';
import type { CentralTiming } from '../../domain/central/part-states.ts';
import { seedParent, spread } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';
import { type DrivenCentral, driveCentral, restartOf } from './drive-central.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const HOUR_MS = 3_600_000;
const ZONE = 'America/New_York';
const WEST = 'America/Los_Angeles';
/** When the campaign is resumed: past the first message where the parent is. */
const RESUMED = NOON + 1.5 * HOUR_MS;
const db = useTestDatabase();

type Word =
  | { readonly do: 'send' | 'skip' }
  | { readonly do: 'schedule'; readonly local: string; readonly zone: string };
const LATER: Word = { do: 'schedule', local: '2027-01-12T16:00', zone: ZONE };

/** A campaign with messages due at one and at three, whose first has begun before the last of its parts was made, paused. */
async function pauseBegun(timing: CentralTiming): Promise<{ central: DrivenCentral; before: MadePart }> {
  const seeded = await seedParent(
    db(),
    [ZONE, WEST, WEST].map((timeZone) => ({ contacts: 1, timeZone })),
  );
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    timing,
    messages: ['13:00', '15:00'].map((time) => ({
      text: time,
      schedule: { local: `2027-01-12T${time}`, zone: ZONE },
    })),
  });
  await spread(db(), seeded.parent.accountId, central.campaignId);
  await central.goOn(NOON);
  await central.makeParts(0);
  const before = await makePart(central, 1);
  await central.goOn(NOON + HOUR_MS);
  expect(await statusesOf(central)).toEqual(['sending', 'scheduled']);
  await central.order('pause', NOON + 1.25 * HOUR_MS);
  return { central, before };
}

async function makePart(central: DrivenCentral, slice: number): Promise<MadePart> {
  const [part] = await central.makeParts(slice);
  if (part === undefined) throw new Error('No part was made.');
  return part;
}

async function statusesOf(central: DrivenCentral): Promise<string[]> {
  const rows = await central.inParent((trx) =>
    trx
      .selectFrom('messages')
      .where('campaign_id', '=', central.campaignId)
      .select('status')
      .orderBy('position')
      .execute(),
  );
  return rows.map(({ status }) => status);
}

/** Resumes it with these words on its first message. */
async function resume(central: DrivenCentral, words: readonly Word[], at: number): Promise<void> {
  const [messageId = ''] = central.messageIds;
  const overdue: MessageOrder[] = words.map((word) => ({ messageId, ...word }));
  const { actionId } = await central.order('resume', at, { overdue });
  expect(await central.goOn(at, [actionId])).toMatchObject([{ state: 'applied' }]);
}

/** What a part makes of the first message when its run steps at this time, with its hours from noon. */
async function firstOf({ subAccountId, campaignId }: MadePart, at: number) {
  return withAccount(db(), subAccountId, async (trx) => {
    const input = { accountId: subAccountId, campaignId, at, running: [], poked: false };
    // The first carries the parent's orders out, the second sees the new times.
    for (let steps = 0; steps < 2; steps += 1) await stepCampaign(trx, { ...input, signals: [], asked: [] });
    const message = await trx
      .selectFrom('messages')
      .where('campaign_id', '=', campaignId)
      .where('position', '=', 1)
      .select(['status', 'due_at', 'expires_at', 'expires_after_ms'])
      .executeTakeFirstOrThrow();
    if (message.status !== 'scheduled') return { status: message.status };
    const { due_at: dueAt, expires_after_ms: expiresAfterMs, expires_at: expiresAt } = message;
    return {
      status: message.status,
      due: ((dueAt?.getTime() ?? Number.NaN) - NOON) / HOUR_MS,
      expiresAfterDue:
        (expiresAt?.getTime() ?? Number.NaN) - (dueAt?.getTime() ?? Number.NaN) === expiresAfterMs,
    };
  });
}

const SKIPPED = { status: 'cancelled' };
const dueAt = (due: number) => ({ status: 'scheduled', due, expiresAfterDue: true });

test.each<[string, CentralTiming, Word, object]>([
  ['is skipped', 'local_time', { do: 'skip' }, SKIPPED],
  ['is skipped', 'one_instant', { do: 'skip' }, SKIPPED],
  ['has the new time', 'local_time', LATER, dueAt(7)],
  ['has the new time', 'one_instant', LATER, dueAt(4)],
  ['that is sent keeps its local time', 'local_time', { do: 'send' }, dueAt(4)],
  ['that is sent is due from the resume on', 'one_instant', { do: 'send' }, dueAt(1.5)],
])(
  'a message that had begun before a resume %s (%s) in parts made before and after alike',
  async (_what, timing, word, expected) => {
    const { central, before } = await pauseBegun(timing);
    await resume(central, [word], RESUMED);
    const after = await makePart(central, 2);
    expect(await firstOf(before, RESUMED)).toEqual(expected);
    expect(await firstOf(after, RESUMED)).toEqual(expected);
    // It has begun where the parent is, whatever becomes of it elsewhere.
    expect(await statusesOf(central)).toEqual(['sending', 'scheduled']);
  },
);

test('what was skipped once is not sent by a later word, in parts made before and after alike', async () => {
  const { central, before } = await pauseBegun('local_time');
  await resume(central, [{ do: 'skip' }], RESUMED);
  await firstOf(before, RESUMED);
  for (const word of [{ do: 'send' } as const, LATER]) {
    await central.order('pause', RESUMED);
    await resume(central, [word], RESUMED);
  }
  const after = await makePart(central, 2);
  expect(await firstOf(before, RESUMED)).toEqual(SKIPPED);
  expect(await firstOf(after, RESUMED)).toEqual(SKIPPED);
});

test('what was skipped is sent after a restart that names it, in parts made before and after alike', async () => {
  const { central, before } = await pauseBegun('local_time');
  await resume(central, [{ do: 'skip' }], RESUMED);
  await central.order('stop', RESUMED);
  await central.goOn(RESUMED);
  const [messageId = ''] = central.messageIds;
  const again = restartOf(messageId, { local: '2027-01-12T17:00', zone: ZONE });
  await central.order('restart', RESUMED, again.args, again.schedules);
  await central.goOn(RESUMED);
  const after = await makePart(central, 2);
  expect(await firstOf(before, RESUMED)).toEqual(dueAt(8));
  expect(await firstOf(after, RESUMED)).toEqual(dueAt(8));
});

test('a reschedule that still waits when a restart is ordered does not move what was restarted', async () => {
  const { central, before } = await pauseBegun('one_instant');
  const [first = '', second = ''] = central.messageIds;
  const { actionId } = await central.order('reschedule', RESUMED, {
    messages: [{ messageId: second, local: '2027-01-12T18:00', zone: ZONE }],
  });
  await central.order('stop', RESUMED);
  const restarts = [first, second].map((id) => restartOf(id, { local: '2027-01-12T17:00', zone: ZONE }));
  const messages = restarts.flatMap(({ args }) => args.messages);
  const schedules = new Map(restarts.flatMap((one) => [...one.schedules]));
  await central.order('restart', RESUMED, { messages }, schedules);
  expect(await central.goOn(RESUMED, [actionId])).toMatchObject([
    { state: 'refused', reason: expect.stringContaining('restarted meanwhile') },
  ]);
  const dueTimes = await central.inParent((trx) => listMessages(trx, central.campaignId));
  expect(dueTimes.map((message) => message.dueAt?.getTime())).toEqual([
    NOON + 5 * HOUR_MS,
    NOON + 5 * HOUR_MS,
  ]);
  expect(await firstOf(before, RESUMED)).toEqual(dueAt(5));
});

test('a new time of a message that had begun is what the parent sees, and waits for', async () => {
  const { central } = await pauseBegun('local_time');
  await resume(central, [LATER], RESUMED);
  const plan = await central.step(RESUMED);
  expect((plan.wakeAt ?? Number.NaN) - NOON).toBe(3 * HOUR_MS);
  await central.goOn(NOON + 3 * HOUR_MS);
  const { wakeAt, next } = await central.step(NOON + 3 * HOUR_MS);
  expect({ wakeAt, next }).toEqual({
    wakeAt: NOON + 4 * HOUR_MS,
    next: { what: 'message', at: NOON + 4 * HOUR_MS },
  });
  expect((await central.step(NOON + 4 * HOUR_MS)).wakeAt).toBeNull();
});
