import { expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import type { MadePart } from '../../db/central/make-parts.ts';
import { seedParent } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';
import { driveCentral, restartOf } from './drive-central.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const ZONE = 'America/New_York';
const db = useTestDatabase();

/** The messages of a part as they stand. */
function messagesOf({ subAccountId, campaignId }: MadePart) {
  return withAccount(db(), subAccountId, (trx) =>
    trx
      .selectFrom('messages')
      .where('campaign_id', '=', campaignId)
      .select(['text', 'status', 'schedule_local as local'])
      .orderBy('position')
      .execute(),
  );
}

test('a part that is made after a restart with one message has the others, too, for a restart that names them', async () => {
  const seeded = await seedParent(db(), [{ contacts: 1 }]);
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    messages: [
      { text: 'First', schedule: { local: '2027-01-12T13:00', zone: ZONE } },
      { text: 'Second', schedule: { local: '2027-01-12T15:00', zone: ZONE } },
    ],
  });
  const [first = '', second = ''] = central.messageIds;
  await central.goOn(NOON);
  await central.order('stop', NOON);
  await central.goOn(NOON);
  expect(await central.states()).toEqual(['stopped']);

  const early = restartOf(first, { local: '2027-01-13T10:00', zone: ZONE });
  await central.order('restart', NOON, early.args, early.schedules);
  await central.goOn(NOON);
  const [part] = await central.makeParts();
  if (part === undefined) throw new Error('No part was made.');
  expect(await messagesOf(part)).toEqual([
    { text: 'First', status: 'scheduled', local: '2027-01-13T10:00' },
    { text: 'Second', status: 'cancelled', local: null },
  ]);

  await central.order('stop', NOON);
  await central.goOn(NOON);
  const late = restartOf(second, { local: '2027-01-14T10:00', zone: ZONE });
  await central.order('restart', NOON, late.args, late.schedules);
  await central.goOn(NOON);
  expect(await messagesOf(part)).toEqual([
    { text: 'First', status: 'cancelled', local: null },
    { text: 'Second', status: 'scheduled', local: '2027-01-14T10:00' },
  ]);
});

test('a message that was skipped before a part was made is skipped in it', async () => {
  const seeded = await seedParent(db(), [{ contacts: 1 }]);
  const schedule = { local: '2027-01-12T13:00', zone: ZONE };
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    messages: [
      { text: 'First', schedule },
      { text: 'Second', schedule },
    ],
  });
  const later = NOON + 2 * 3_600_000;
  const [first = '', second = ''] = central.messageIds;
  await central.goOn(NOON);
  await central.order('pause', NOON);
  await central.goOn(later);
  await central.order('resume', later, {
    overdue: [
      { messageId: first, do: 'skip' },
      { messageId: second, do: 'send' },
    ],
  });
  await central.goOn(later);
  const [part] = await central.makeParts();
  if (part === undefined) throw new Error('No part was made.');
  expect((await messagesOf(part)).map(({ text, status }) => `${text} ${status}`)).toEqual([
    'First cancelled',
    'Second scheduled',
  ]);
});
