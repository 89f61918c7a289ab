import { expect, test } from 'vitest';
import type { MadePart } from '../../db/central/make-parts.ts';
import { withAccount } from '../../db/database.ts';
import { closedScopes } from '../../db/gates.ts';
import { placeHold } from '../../db/place-hold.ts';
import { seedParent, spread } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';
import { orderAction } from '../../db/campaign-orders.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { type DrivenCentral, driveCentral, restartOf, stepPart } from './drive-central.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const HOUR_MS = 3_600_000;
const ZONE = 'America/New_York';
const db = useTestDatabase();

/** A campaign of this many parts, each in a slice of its own, with messages due at one and at two. */
async function launchSlices(slices: number): Promise<DrivenCentral> {
  const seeded = await seedParent(
    db(),
    Array.from({ length: slices }, () => ({ contacts: 1 })),
  );
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    messages: ['13:00', '14:00'].map((time) => ({
      text: time,
      schedule: { local: `2027-01-12T${time}`, zone: ZONE },
    })),
  });
  await spread(db(), seeded.parent.accountId, central.campaignId);
  await central.goOn(NOON);
  return central;
}

interface LaunchedPart {
  readonly central: DrivenCentral;
  readonly part: MadePart;
  /** An order of the part's own people, of which its run has still to hear. */
  readonly orderOwn: (name: 'pause' | 'resume') => Promise<unknown>;
}

/** A campaign of one part, which is made, with a message due at one. */
async function launchOne(): Promise<LaunchedPart> {
  const seeded = await seedParent(db(), [{ contacts: 1 }]);
  const [own] = seeded.children;
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    messages: [{ text: 'Hello', schedule: { local: '2027-01-12T13:00', zone: ZONE } }],
  });
  await central.goOn(NOON);
  const [part] = await central.makeParts();
  if (part === undefined || own === undefined) throw new Error('No part was made.');
  const orderOwn = (name: 'pause' | 'resume'): Promise<unknown> =>
    withAccount(db(), part.subAccountId, async (trx) => {
      const campaign = await lockCampaign(trx, part.campaignId);
      if (campaign === null) throw new Error('The part is gone.');
      return orderAction(trx, { campaign, name, args: {}, actor: own.actor, at: NOON });
    });
  return { central, part, orderOwn };
}

test('an order that has reached some slices reaches the others, too, whatever becomes due meanwhile', async () => {
  const slices = 5;
  const central = await launchSlices(slices);
  for (let slice = 0; slice < slices; slice += 1) await central.makeParts(slice);
  await central.order('pause', NOON);
  const [first = ''] = central.messageIds;
  await central.goOn(NOON + 1.5 * HOUR_MS);
  const { actionId } = await central.order('resume', NOON + 1.5 * HOUR_MS, {
    overdue: [{ messageId: first, do: 'send' }],
  });
  const begun = await central.step(NOON + 1.5 * HOUR_MS);
  expect(begun.orders.map(({ slice }) => slice)).toEqual([0, 1, 2, 3]);
  for (const order of begun.orders) await central.carryOut(order, NOON + 1.5 * HOUR_MS);
  // The second message becomes due before the last slice's turn.
  const rest = await central.step(NOON + 2 * HOUR_MS, [actionId]);
  expect(rest.answers).toEqual([]);
  expect(rest.orders).toEqual([{ actionId, slice: 4 }]);
  expect(await central.goOn(NOON + 2 * HOUR_MS, [actionId])).toEqual([
    { actionId, state: 'applied', reason: null },
  ]);
});

test('an attempt of a restart that goes on after a later stop moves nothing', async () => {
  const central = await launchSlices(2);
  const [made] = await central.makeParts(0);
  if (made === undefined) throw new Error('No part was made.');
  await central.order('stop', NOON);
  await central.goOn(NOON);
  const [first = ''] = central.messageIds;
  const again = restartOf(first, { local: '2027-01-13T10:00', zone: ZONE });
  const { actionId } = await central.order('restart', NOON, again.args, again.schedules);
  await central.goOn(NOON);
  await central.order('stop', NOON);
  await central.goOn(NOON);
  expect(await central.states()).toEqual(['stopped', 'stopped']);
  const reached = [
    await central.carryOut({ actionId, slice: 0 }, NOON),
    await central.carryOut({ actionId, slice: 1 }, NOON),
  ];
  expect(await central.states()).toEqual(['stopped', 'stopped']);
  expect(reached).toEqual([0, 0]);
});

test('a part that an attempt comes to only after its order is answered does not take it any more', async () => {
  const seeded = await seedParent(db(), [{ contacts: 1 }, { contacts: 1 }]);
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    messages: [{ text: 'Hello', schedule: { local: '2027-01-12T13:00', zone: ZONE } }],
  });
  await central.goOn(NOON);
  const made = await central.makeParts();
  const { actionId } = await central.order('stop', NOON);
  await central.step(NOON);
  const woken: string[] = [];
  // Another attempt is done with the slice and the order is answered while this one wakes its first part.
  const wake = async ({ campaignId }: { readonly campaignId: string }): Promise<void> => {
    woken.push(campaignId);
    await central.inParent((trx) =>
      trx.updateTable('actions').set({ state: 'applied' }).where('id', '=', actionId).execute(),
    );
  };
  await central.carryOut({ actionId, slice: 0 }, NOON, { wake, poke: wake });
  expect(woken).toEqual([made[0]?.campaignId]);
  expect(await central.states()).toEqual(['stopped', 'waiting']);
});

/** How often each of these parts was ordered this. */
function ordersOf(parts: readonly MadePart[], name: string): Promise<number[]> {
  return Promise.all(
    parts.map(async ({ subAccountId, campaignId }) => {
      const rows = await withAccount(db(), subAccountId, (trx) =>
        trx
          .selectFrom('actions')
          .where('campaign_id', '=', campaignId)
          .where('name', '=', name)
          .select('id')
          .execute(),
      );
      return rows.length;
    }),
  );
}

async function makeAll(central: DrivenCentral, slices: number): Promise<MadePart[]> {
  const made: MadePart[] = [];
  for (let slice = 0; slice < slices; slice += 1) made.push(...(await central.makeParts(slice)));
  return made;
}

test('a slice whose worker was lost takes the order again, and each of its parts has it once', async () => {
  const central = await launchSlices(6);
  const made = await makeAll(central, 6);
  const [first = ''] = central.messageIds;
  const { actionId } = await central.order('reschedule', NOON, {
    messages: [{ messageId: first, local: '2027-01-12T16:00', zone: ZONE }],
  });
  const { orders } = await central.step(NOON);
  expect(orders.map(({ slice }) => slice)).toEqual([0, 1, 2, 3]);
  const [lost, ...others] = orders;
  if (lost === undefined) throw new Error('Nothing is to be carried out.');
  // Its part has taken it when the worker is lost, and the slice does not count as done.
  const loss = central.carryOut(lost, NOON, {
    wake: () => Promise.reject(new Error('The worker is lost.')),
    poke: () => Promise.resolve(),
  });
  await expect(loss).rejects.toThrow('The worker is lost.');
  for (const order of others) await central.carryOut(order, NOON);
  expect((await central.step(NOON)).orders.map(({ slice }) => slice)).toEqual([0, 4, 5]);
  const answers = await central.goOn(NOON, [actionId]);
  expect(answers).toEqual([{ actionId, state: 'applied', reason: null }]);
  expect(await ordersOf(made, 'reschedule')).toEqual([1, 1, 1, 1, 1, 1]);
});

test('a stop that is ordered between the slices of a restart has every part stopped in the end', async () => {
  const central = await launchSlices(6);
  const made = await makeAll(central, 5);
  await central.order('stop', NOON);
  await central.goOn(NOON);
  const [first = ''] = central.messageIds;
  const again = restartOf(first, { local: '2027-01-13T10:00', zone: ZONE });
  const restarted = await central.order('restart', NOON, again.args, again.schedules);
  const { orders } = await central.step(NOON);
  for (const order of orders) await central.carryOut(order, NOON);
  const stopped = await central.order('stop', NOON);
  const answers = await central.goOn(NOON, [restarted.actionId, stopped.actionId]);
  expect(answers.map(({ state }) => state)).toEqual(['applied', 'applied']);
  expect(await central.states()).toEqual(made.map(() => 'stopped').concat('stopped'));
  // What keeps them is the last stop: nothing opens behind it.
  const gates = await central.inParent((trx) => closedScopes(trx, [central.campaignId]));
  expect([...gates]).toEqual([central.campaignId]);
  expect(await ordersOf(made, 'stop')).toEqual([2, 2, 2, 2, 2]);
});

test('a part that its own people pause while its restart is on the way shows their pause, and a stop reaches it', async () => {
  const { central, part, orderOwn } = await launchOne();
  await stepPart(db(), part, NOON);
  await central.order('stop', NOON);
  await central.goOn(NOON);
  await stepPart(db(), part, NOON);
  const [first = ''] = central.messageIds;
  const again = restartOf(first, { local: '2027-01-13T10:00', zone: ZONE });
  await central.order('restart', NOON, again.args, again.schedules);
  await central.goOn(NOON);
  // Its run has not heard of the restart yet.
  await orderOwn('pause');
  expect(await standingOf(central)).toEqual([{ state: 'paused', reason: 'by_account' }]);
  await central.order('stop', NOON);
  await central.goOn(NOON);
  await stepPart(db(), part, NOON);
  expect(await standingOf(central)).toEqual([{ state: 'stopped', reason: 'by_parent' }]);
  // The pause of its own people outlasts the parent's restart.
  await central.order('restart', NOON, again.args, again.schedules);
  await central.goOn(NOON);
  await stepPart(db(), part, NOON);
  expect(await standingOf(central)).toEqual([{ state: 'paused', reason: 'by_account' }]);
});

test('a part that an operator holds while its own people pause it is shown as held once they resume it', async () => {
  const { central, part, orderOwn } = await launchOne();
  const { subAccountId: accountId, campaignId } = part;
  await stepPart(db(), part, NOON);
  await orderOwn('pause');
  await stepPart(db(), part, NOON);
  const byOperator = { actor: { id: 'operator', via: 'api' }, byOperator: true, at: NOON } as const;
  await withAccount(db(), accountId, (trx) =>
    placeHold(trx, {
      accountId,
      scope: 'campaign',
      scopeId: campaignId,
      reason: 'Look at it.',
      ...byOperator,
    }),
  );
  await orderOwn('resume');
  await stepPart(db(), part, NOON);
  expect(await standingOf(central)).toEqual([{ state: 'paused', reason: 'held' }]);
});

function standingOf({ campaignId, inParent }: DrivenCentral) {
  return inParent((trx) =>
    trx
      .selectFrom('central_parts')
      .where('central_id', '=', campaignId)
      .select(['state', 'reason'])
      .orderBy('number')
      .execute(),
  );
}
