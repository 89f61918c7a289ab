import { expect, test } from 'vitest';
import { centralsToTell } from '../../db/central/tell-centrals.ts';
import { withAccount } from '../../db/database.ts';
import { listMessages } from '../../db/messages.ts';
import { overdueMessages } from '../../db/overdue-messages.ts';
import { seedParent } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';
import { driveCentral } from './drive-central.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const HOUR_MS = 3_600_000;
const ZONE = 'America/New_York';
const db = useTestDatabase();

test('a message at a local time begins with the first zone in which there is somebody to text', async () => {
  const seeded = await seedParent(db(), [
    { contacts: 1, timeZone: ZONE },
    { contacts: 1, timeZone: 'America/Los_Angeles' },
  ]);
  const [eastern] = seeded.children;
  if (eastern === undefined) throw new Error('There is no branch.');
  await withAccount(db(), eastern.accountId, (trx) =>
    trx
      .updateTable('accounts')
      .set({ disabled_at: new Date(NOON) })
      .where('id', '=', eastern.accountId)
      .execute(),
  );
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    timing: 'local_time',
    messages: [{ text: 'Hello', schedule: { local: '2027-01-12T13:00', zone: ZONE } }],
  });
  expect(await central.states()).toEqual(['aborted', 'waiting']);
  await central.goOn(NOON + 2 * HOUR_MS);
  const read = () => central.inParent((trx) => listMessages(trx, central.campaignId));
  expect(await read()).toMatchObject([{ status: 'scheduled', dueAt: new Date(NOON + 4 * HOUR_MS) }]);
  // So until then it is not too late for another time.
  const [messageId = ''] = central.messageIds;
  const { actionId } = await central.order('reschedule', NOON + 2 * HOUR_MS, {
    messages: [{ messageId, local: '2027-01-12T15:00', zone: ZONE }],
  });
  expect(await central.goOn(NOON + 2 * HOUR_MS, [actionId])).toMatchObject([{ state: 'applied' }]);
  await central.goOn(NOON + 6 * HOUR_MS);
  expect(await read()).toMatchObject([{ status: 'sending' }]);
});

test('messages are overdue by the zone that an account has moved to since the launch', async () => {
  const seeded = await seedParent(db(), [{ contacts: 1, timeZone: ZONE }]);
  const [moved] = seeded.children;
  if (moved === undefined) throw new Error('There is no branch.');
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    timing: 'local_time',
    messages: ['13:00', '14:00'].map((time) => ({
      text: time,
      schedule: { local: `2027-01-12T${time}`, zone: ZONE },
    })),
  });
  await central.goOn(NOON);
  await withAccount(db(), moved.accountId, (trx) =>
    trx
      .updateTable('accounts')
      .set({ time_zone: 'America/Los_Angeles' })
      .where('id', '=', moved.accountId)
      .execute(),
  );
  // Its run learns of it, since a message might begin earlier in the new zone.
  expect((await centralsToTell(db(), 10)).campaignIds).toContain(central.campaignId);
  // Both would have begun in the zone of before, and so be no question.
  const paused = NOON + 2.5 * HOUR_MS;
  await central.goOn(paused);
  await central.order('pause', paused);
  const overdue = await central.inParent((trx) =>
    overdueMessages(trx, central.campaignId, NOON + 5.5 * HOUR_MS),
  );
  expect(overdue).toEqual(central.messageIds);
});
