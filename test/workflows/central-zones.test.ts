import { describe, expect, it } from 'vitest';
import { nextPermitted } from '../../domain/quiet-hours.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import { branchOf, launchCentral, sentByBranch } from './central-world.ts';
import { at, DAY_MS, eveOfChange, HOUR_MS, useWorkflowWorld, ZONE } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const TEXT = 'News of {{account.senderName}}, reply STOP to opt out.';
/** The hours of seeded accounts. */
const QUIET = { start: '20:00', end: '08:00' };
/** From the first to the last hour of the globe, with offsets of halves and quarters. */
const ZONES = [
  'Pacific/Kiritimati',
  'Pacific/Chatham',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Europe/Berlin',
  'UTC',
  'America/St_Johns',
  'America/New_York',
  'Pacific/Marquesas',
  'Pacific/Niue',
];

const inZones = (zones: readonly string[]) => zones.map((timeZone) => ({ contacts: 1, timeZone }));

/** When each zone's branch has sent, in the order of these zones. */
function sentAt(zones: readonly string[]): number[] {
  return zones.map((_zone, index) => {
    const text = world().texts.find((one) => branchOf(one.text) === `Branch ${index + 1}`);
    return text?.at ?? Number.NaN;
  });
}

/** To the minute, since a wake-up takes some milliseconds. */
const localMinutes = (zones: readonly string[]): string[] =>
  sentAt(zones).map((sent, index) => toLocal(sent, zones[index] ?? 'UTC').slice(0, 16));

describe('a central campaign of branches around the globe', () => {
  it('at the same local time is sent by each at that time of its own day', async () => {
    const morning = await strike(9);
    const local = `${toLocal(morning + 2 * DAY_MS, ZONE).slice(0, 10)}T10:00`;
    await launchCentral(world(), inZones(ZONES), {
      start: 'scheduled',
      timing: 'local_time',
      messages: [{ text: TEXT, schedule: { local, zone: ZONE } }],
    });
    await world().pass(4 * DAY_MS);
    expect(localMinutes(ZONES)).toEqual(ZONES.map(() => local));
    expect(world().texts).toHaveLength(ZONES.length);
  });

  it('at one instant is sent by each then, or when the hours of quiet end where it is', async () => {
    const noon = await strike(12);
    const due = noon + HOUR_MS;
    await launchCentral(world(), inZones(ZONES), {
      start: 'scheduled',
      messages: [{ text: TEXT, schedule: at(due) }],
    });
    await world().pass(2 * DAY_MS);
    const wanted = ZONES.map((zone) => toLocal(nextPermitted(due, QUIET, zone), zone).slice(0, 16));
    expect(localMinutes(ZONES)).toEqual(wanted);
    expect(wanted.some((local) => local.endsWith('T08:00'))).toBe(true);
    expect(world().texts).toHaveLength(ZONES.length);
  });

  it.each([
    ['to daylight saving', HOUR_MS],
    ['back from daylight saving', -HOUR_MS],
  ])('keeps its local time over a change %s, in zones that change and in others', async (_name, shiftMs) => {
    const zones = [ZONE, 'America/Phoenix', 'America/Chicago', 'Asia/Tokyo'];
    const eve = eveOfChange(await strike(10), shiftMs);
    await world().passUntil(eve);
    world().texts.length = 0;
    const day = toLocal(eve + DAY_MS, ZONE).slice(0, 10);
    await launchCentral(world(), inZones(zones), {
      start: 'scheduled',
      timing: 'local_time',
      messages: [{ text: TEXT, schedule: { local: `${day}T12:00`, zone: ZONE } }],
    });
    await world().pass(2 * DAY_MS);
    expect(localMinutes(zones)).toEqual(zones.map(() => `${day}T12:00`));
    expect(sentByBranch(world())).toEqual({ 'Branch 1': 1, 'Branch 2': 1, 'Branch 3': 1, 'Branch 4': 1 });
  });

  it.each([
    ['to daylight saving', HOUR_MS],
    ['back from daylight saving', -HOUR_MS],
  ])('waits in each zone for its own morning over a change %s', async (_name, shiftMs) => {
    const zones = [ZONE, 'America/Los_Angeles', 'America/Phoenix'];
    const eve = eveOfChange(await strike(10), shiftMs);
    await world().passUntil(eve);
    world().texts.length = 0;
    const due = eve + 14 * HOUR_MS;
    // The parent's hours forbid such a schedule; each part has to keep its own all the same.
    await launchCentral(world(), inZones(zones), {
      start: 'scheduled',
      messages: [{ text: TEXT, schedule: at(due) }],
    });
    await world().pass(2 * DAY_MS);
    expect(localMinutes(zones)).toEqual(
      zones.map((zone) => toLocal(nextPermitted(due, QUIET, zone), zone).slice(0, 16)),
    );
    expect(localMinutes(zones).every((local) => local.endsWith('T08:00'))).toBe(true);
  });

  it('follows an account that has moved to another zone since the launch', async () => {
    const morning = await strike(9);
    const local = `${toLocal(morning + DAY_MS, ZONE).slice(0, 10)}T15:00`;
    const central = await launchCentral(world(), inZones(['Europe/Berlin', ZONE]), {
      start: 'scheduled',
      timing: 'local_time',
      messages: [{ text: TEXT, schedule: { local, zone: ZONE } }],
    });
    await world().pass(HOUR_MS);
    await central.inPart(0, (trx) =>
      trx.updateTable('accounts').set({ time_zone: 'Europe/London' }).execute(),
    );
    await central.inPart(0, (_trx, id) =>
      world().workflows.wakeCampaign(central.children[0]?.accountId ?? '', id),
    );
    await world().pass(2 * DAY_MS);
    expect(localMinutes(['Europe/London', ZONE])).toEqual([local, local]);
    expect(world().texts).toHaveLength(2);
  });
});
