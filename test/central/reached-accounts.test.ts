import { expect, test } from 'vitest';
import { findAction } from '../../db/actions.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { stepCentral } from '../../db/central/step-central.ts';
import { withAccount } from '../../db/database.ts';
import { seedParent } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';
import { type DrivenCentral, driveCentral, restartOf } from './drive-central.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const ZONE = 'America/New_York';
const SCHEDULE = { local: '2027-01-13T10:00', zone: ZONE };
const db = useTestDatabase();

/** A launched campaign of this many accounts, of which the first one's part is over so. */
async function launchWithOneOver(accounts: number, status: 'aborted' | 'rejected'): Promise<DrivenCentral> {
  const seeded = await seedParent(
    db(),
    Array.from({ length: accounts }, () => ({ contacts: 1 })),
  );
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    messages: [{ text: 'Hello', schedule: { local: '2027-01-12T13:00', zone: ZONE } }],
  });
  await central.goOn(NOON);
  const [first] = await central.makeParts();
  if (first === undefined) throw new Error('No part was made.');
  await withAccount(db(), first.subAccountId, (trx) =>
    trx.updateTable('campaigns').set({ status }).where('id', '=', first.campaignId).execute(),
  );
  return central;
}

/** A stopped campaign of three accounts, of which the first has aborted its part before. */
async function stop(): Promise<DrivenCentral> {
  const central = await launchWithOneOver(3, 'aborted');
  expect((await central.order('stop', NOON)).accounts).toEqual({ reached: 2, done: 1 });
  return central;
}

const restart = async (central: DrivenCentral) => {
  const { args, schedules } = restartOf(central.messageIds[0] ?? '', SCHEDULE);
  return central.order('restart', NOON, args, schedules);
};

test('a restart reaches the accounts that were stopped, and not those that were over before', async () => {
  const central = await stop();
  await central.goOn(NOON);
  expect(await central.states()).toEqual(['aborted', 'stopped', 'stopped']);
  expect((await restart(central)).accounts).toEqual({ reached: 2, done: 1 });
  await central.goOn(NOON);
  expect(await central.states()).toEqual(['aborted', 'handed_over', 'handed_over']);
});

test('a restart before the stop has come to every account reaches those, too', async () => {
  const central = await stop();
  expect((await restart(central)).accounts).toEqual({ reached: 2, done: 1 });
});

test('an abort of what was stopped reaches the accounts that were stopped', async () => {
  const central = await stop();
  await central.goOn(NOON);
  expect((await central.order('abort', NOON)).accounts).toEqual({ reached: 2, done: 1 });
  await central.goOn(NOON);
  expect(await central.states()).toEqual(['aborted', 'aborted', 'aborted']);
});

test('a stop, and the restart after it, reach the accounts whose part was rejected', async () => {
  const central = await launchWithOneOver(2, 'rejected');
  expect((await central.order('pause', NOON)).accounts).toEqual({ reached: 1, done: 1 });
  expect((await central.order('stop', NOON)).accounts).toEqual({ reached: 2, done: 0 });
  expect((await restart(central)).accounts).toEqual({ reached: 2, done: 0 });
  await central.goOn(NOON);
  expect(await central.states()).toEqual(['handed_over', 'handed_over']);
});

test('an abort reaches the accounts that were stopped before their parts were made, and they are aborted', async () => {
  const seeded = await seedParent(db(), [{ contacts: 1 }, { contacts: 1 }]);
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    messages: [{ text: 'Hello', schedule: { local: '2027-01-12T13:00', zone: ZONE } }],
  });
  await central.goOn(NOON);
  await central.order('stop', NOON);
  await central.goOn(NOON);
  expect((await central.order('abort', NOON)).accounts).toEqual({ reached: 2, done: 0 });
  await central.goOn(NOON);
  expect(await central.states()).toEqual(['aborted', 'aborted']);
});

test('a delete of a campaign that was stopped reaches nobody, whose parts stay stopped', async () => {
  const central = await stop();
  await central.goOn(NOON);
  expect((await central.order('delete', NOON)).accounts).toEqual({ reached: 0, done: 3 });
  await central.goOn(NOON);
  expect(await central.states()).toEqual(['aborted', 'stopped', 'stopped']);
});

test('neither the archive nor a delete of a finished campaign reaches the account whose part was rejected', async () => {
  const central = await launchWithOneOver(1, 'rejected');
  await central.goOn(NOON);
  expect((await central.order('archive', NOON)).accounts).toEqual({ reached: 0, done: 1 });
  expect((await central.order('delete', NOON)).accounts).toEqual({ reached: 0, done: 1 });
  await central.goOn(NOON);
  expect(await central.states()).toEqual(['rejected']);
});

test('a stop that was signalled in Temporal tells whom it reached, as any other does', async () => {
  const central = await launchWithOneOver(3, 'aborted');
  const { campaignId } = central;
  const accounts = await central.inParent(async (trx) => {
    const campaign = await lockCampaign(trx, campaignId);
    const { accountId } = campaign ?? { accountId: '' };
    const signals = [{ key: 'a signal', name: 'stop', args: {} }] as const;
    await stepCentral(trx, { accountId, campaignId, at: NOON, running: [], handing: 0, signals, asked: [] });
    const { id } = await trx
      .selectFrom('actions')
      .where('campaign_id', '=', campaignId)
      .where('name', '=', 'stop')
      .select('id')
      .executeTakeFirstOrThrow();
    return (await findAction(trx, campaignId, id))?.accounts;
  });
  expect(accounts).toEqual({ reached: 2, done: 1 });
});
