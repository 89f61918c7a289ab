import { expect, test } from 'vitest';
import type { CentralTiming } from '../../domain/central/part-states.ts';
import { overdueMessages } from '../../db/overdue-messages.ts';
import { seedParent } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';
import { type DrivenCentral, driveCentral, restartOf } from './drive-central.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const HOUR_MS = 3_600_000;
const ZONE = 'America/New_York';
const ASKS = { state: 'refused', reason: expect.stringMatching(/^More than one message is overdue/) };
const db = useTestDatabase();

async function launch(timing: CentralTiming): Promise<DrivenCentral> {
  const seeded = await seedParent(
    db(),
    [ZONE, 'America/Los_Angeles'].map((timeZone) => ({ contacts: 1, timeZone })),
  );
  return driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    timing,
    messages: ['13:00', '14:00', '17:00'].map((time) => ({
      text: time,
      schedule: { local: `2027-01-12T${time}`, zone: ZONE },
    })),
  });
}

/** The places of the messages that the API asks about, and what becomes of resumes: without a word, with one, with one for each. */
async function resumes({ campaignId, goOn, inParent, messageIds, order }: DrivenCentral, at: number) {
  const overdue = await inParent((trx) => overdueMessages(trx, campaignId, at));
  const words = messageIds.slice(0, 2).map((messageId) => ({ messageId, do: 'skip' }));
  const answers: unknown[] = [];
  for (const given of [[], words.slice(0, 1), words]) {
    const { actionId } = await order('resume', at, { overdue: given });
    answers.push(...(await goOn(at, [actionId])));
  }
  return { overdue: overdue.map((id) => messageIds.indexOf(id)), answers };
}

/** The first two of three are overdue. */
const ASKED = { overdue: [0, 1], answers: [ASKS, ASKS, { state: 'applied' }] };

test.each<CentralTiming>(['one_instant', 'local_time'])(
  'a resume of a central campaign (%s) that was paused before it was prepared asks about messages that are overdue',
  async (timing) => {
    const central = await launch(timing);
    await central.order('pause', NOON);
    // Its only step before they are due, since a pause sets no timer.
    await central.goOn(NOON);
    expect(await resumes(central, NOON + 2 * HOUR_MS)).toMatchObject(ASKED);
  },
);

test('a resume of one that was paused just after a restart asks about messages that are overdue', async () => {
  const central = await launch('one_instant');
  await central.goOn(NOON);
  await central.order('stop', NOON);
  await central.goOn(NOON);
  const [first = '', second = ''] = central.messageIds;
  const soon = restartOf(first, { local: '2027-01-12T13:00', zone: ZONE });
  const then = restartOf(second, { local: '2027-01-12T14:00', zone: ZONE });
  const messages = [...soon.args.messages, ...then.args.messages];
  const schedules = new Map([...soon.schedules, ...then.schedules]);
  await central.order('restart', NOON, { messages }, schedules);
  // The restart's slices are carried out, and the content is not looked at yet.
  const { orders } = await central.step(NOON);
  for (const order of orders) await central.carryOut(order, NOON);
  await central.order('pause', NOON);
  await central.goOn(NOON);
  expect(await resumes(central, NOON + 2 * HOUR_MS)).toMatchObject(ASKED);
});

test('one message that is overdue is no question, also of a campaign that was paused before it was prepared', async () => {
  const central = await launch('one_instant');
  await central.order('pause', NOON);
  await central.goOn(NOON);
  const at = NOON + 1.5 * HOUR_MS;
  const { actionId } = await central.order('resume', at);
  expect(await central.goOn(at, [actionId])).toMatchObject([{ state: 'applied' }]);
});
