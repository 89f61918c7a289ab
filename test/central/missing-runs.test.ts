import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import { type MadePart, makeParts } from '../../db/central/make-parts.ts';
import { noteStarted } from '../../db/central/note-runs.ts';
import { openParts } from '../../db/central/open-parts.ts';
import { readSlice } from '../../db/central/read-slice.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { slicesToLook } from '../../db/repair.ts';
import { takeTurn } from '../../db/take-turn.ts';
import { createCampaignRepair } from '../../engine/repair-campaigns.ts';
import { tellSlices, tellSlicesInTurn } from '../../engine/repair-centrals.ts';
import { seedCentral, seedParent } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';

const HOUR_MS = 3_600_000;
const NOON = Date.parse('2027-01-12T17:00:00Z');
const db = useTestDatabase();
let ref: { readonly accountId: string; readonly campaignId: string; readonly slice: number };
let made: MadePart[];

/** A central campaign whose three parts have been handed over and wait for nothing. */
beforeEach(async () => {
  const seeded = await seedParent(db(), [{ contacts: 1 }, { contacts: 1 }, { contacts: 1 }]);
  const { accountId } = seeded.parent;
  const messages = [{ text: 'Hello' }];
  const { campaignId } = await seedCentral(db(), seeded, { at: NOON, start: 'now', messages });
  ref = { accountId, campaignId, slice: 0 };
  await inParent((trx) => prepareCampaign(trx, { accountId, campaignId, at: NOON }));
  made = await inParent((trx) => makeParts(trx, ref));
  await settleActions(accountId);
});

function inParent<Result>(work: (trx: Trx) => Promise<Result>): Promise<Result> {
  return withAccount(db(), ref.accountId, work);
}

function settleActions(accountId: string): Promise<unknown> {
  return withAccount(db(), accountId, (trx) =>
    trx.updateTable('actions').set({ state: 'applied' }).where('state', '=', 'requested').execute(),
  );
}

/** Gives the campaign of an account another status. */
function setStatus(
  accountId: string,
  id: string,
  status: 'started' | 'finished' | 'aborted',
): Promise<unknown> {
  return withAccount(db(), accountId, (trx) =>
    trx.updateTable('campaigns').set({ status }).where('id', '=', id).execute(),
  );
}

/** One round of repair beside an engine that lists nobody and has runs of these alone. Resolves with what it was asked. */
async function repair(running: readonly string[]): Promise<string[]> {
  const asked: string[] = [];
  const ask = (what: string) => (id: string) => {
    asked.push(`${what} ${id}`);
    return Promise.resolve(running.includes(id));
  };
  const order = (what: string) => (_: string, id: string) => {
    asked.push(`${what} ${id}`);
    return Promise.resolve();
  };
  const round = createCampaignRepair({
    db: db(),
    workflows: {
      ensureCampaign: order('start'),
      wakeCampaign: order('wake or start'),
      hasRun: ask('has run'),
      pokeCampaign: ask('wake'),
      runningCampaigns: () => Promise.resolve(() => false),
    },
    onError: () => undefined,
    isStopped: () => false,
  });
  await round();
  return asked.filter((one) => made.some(({ campaignId }) => one.endsWith(campaignId))).toSorted();
}

const isLookWanted = async (): Promise<boolean> =>
  (await slicesToLook(db(), 1_000)).some(({ campaignId }) => campaignId === ref.campaignId);
const missing = async (): Promise<string[]> =>
  (await inParent((trx) => openParts(trx, ref, 'missing'))).map(({ campaignId }) => campaignId);
const idsOf = (parts: readonly MadePart[]): string[] => parts.map(({ campaignId }) => campaignId);

test('a part of a live central campaign that has no run is not started but noted, and its slice is told', async () => {
  const [first, ...others] = made;
  if (first === undefined) throw new Error('Nothing was made.');
  expect(await repair(idsOf(others))).toEqual(
    idsOf(made)
      .map((id) => `has run ${id}`)
      .toSorted(),
  );
  expect(await missing()).toEqual([first.campaignId]);
  expect(await inParent((trx) => readSlice(trx, ref))).toMatchObject({ lacksParts: false, lacksRuns: true });
  const told: string[] = [];
  await tellSlices({
    db: db(),
    workflows: {
      lookAtSlice: (id, slice) => {
        told.push(`look ${id} ${slice}`);
        return Promise.resolve(false);
      },
      wakeCentral: (_, id) => {
        told.push(`wake ${id}`);
        return Promise.resolve();
      },
      ensureCentral: () => Promise.resolve(),
      pokeCentral: () => Promise.resolve(true),
    },
    onError: (error: unknown) => {
      throw error;
    },
  });
  // A slice without a run is its central campaign's to start.
  expect(told.filter((one) => one.includes(ref.campaignId))).toEqual([
    `look ${ref.campaignId} 0`,
    `wake ${ref.campaignId}`,
  ]);

  await inParent((trx) => noteStarted(trx, { ...ref, numbers: [first.number] }));
  expect(await missing()).toEqual([]);
  expect(await isLookWanted()).toBe(false);
});

test('a part with an action that nobody has answered is woken, and noted if it has no run', async () => {
  const [first, second] = made;
  if (first === undefined || second === undefined) throw new Error('Too few were made.');
  for (const { subAccountId, campaignId } of [first, second]) {
    await withAccount(db(), subAccountId, (trx) =>
      trx
        .insertInto('actions')
        .values({
          id: `act_${campaignId}`,
          account_id: subAccountId,
          campaign_id: campaignId,
          name: 'resume',
          args: '{}',
          state: 'requested',
          via: 'api',
          requested_by: subAccountId,
        })
        .execute(),
    );
  }
  const asked = await repair([first.campaignId, ...idsOf(made.slice(2))]);
  expect(asked.filter((one) => one.startsWith('wake'))).toEqual(
    [`wake ${first.campaignId}`, `wake ${second.campaignId}`].toSorted(),
  );
  expect(await missing()).toEqual([second.campaignId]);
});

test('a part that is over and has a round of its own, and one of a campaign that is over, start like any other', async () => {
  const [first, ...others] = made;
  if (first === undefined) throw new Error('Nothing was made.');
  await setStatus(first.subAccountId, first.campaignId, 'finished');
  await setStatus(first.subAccountId, first.campaignId, 'started');
  const asked = await repair([]);
  expect(asked).toContain(`start ${first.campaignId}`);
  expect(await missing()).toEqual(idsOf(others));
  await setStatus(ref.accountId, ref.campaignId, 'aborted');
  expect(await repair([])).toEqual(
    idsOf(made)
      .map((id) => `start ${id}`)
      .toSorted(),
  );
});

test('what was noted of a part that is over by now, or cannot be started yet, has nobody woken again and again', async () => {
  await repair([]);
  expect(await isLookWanted()).toBe(true);
  await inParent((trx) =>
    trx.updateTable('campaigns').set({ prepared_at: null }).where('id', '=', ref.campaignId).execute(),
  );
  expect(await isLookWanted()).toBe(false);
  await inParent((trx) =>
    trx
      .updateTable('campaigns')
      .set({ prepared_at: new Date(NOON) })
      .where('id', '=', ref.campaignId)
      .execute(),
  );
  for (const { subAccountId, campaignId } of made) await setStatus(subAccountId, campaignId, 'aborted');
  // That they are over is news, once.
  expect(await isLookWanted()).toBe(true);
  await inParent((trx) => readSlice(trx, ref));
  expect(await isLookWanted()).toBe(false);
});

test('slices are told in turns, so that several workers tell them no more often than one', async () => {
  await repair([]);
  const told: string[] = [];
  const worker = {
    db: db(),
    workflows: {
      lookAtSlice: (id: string) => {
        if (id === ref.campaignId) told.push(id);
        return Promise.resolve(true);
      },
      wakeCentral: () => Promise.resolve(),
      ensureCentral: () => Promise.resolve(),
      pokeCentral: () => Promise.resolve(true),
    },
    onError: (error: unknown) => {
      throw error;
    },
  };
  // Another worker has told them just now; nothing here depends on how long ago.
  await takeTurn(db(), 'tell slices', HOUR_MS);
  await setNextTurn(HOUR_MS);
  await tellSlicesInTurn(worker);
  expect(told).toEqual([]);
  await setNextTurn(-HOUR_MS);
  await tellSlicesInTurn(worker);
  expect(told).toEqual([ref.campaignId]);
});

test('a turn is had by one of those who come for it at once', async () => {
  const had = await Promise.all([1, 2, 3, 4].map(() => takeTurn(db(), 'a turn', HOUR_MS)));
  expect(had.filter(Boolean)).toHaveLength(1);
});

test('a turn that comes a little early has the next one come no earlier for it', async () => {
  const next = async (): Promise<number> => {
    const { next_at: at } = await db()
      .selectFrom('turns')
      .where('what', '=', 'an early turn')
      .select('next_at')
      .executeTakeFirstOrThrow();
    return at.getTime();
  };
  await takeTurn(db(), 'an early turn', HOUR_MS);
  await setNextTurn(HOUR_MS / 20);
  const before = await next();
  expect(await takeTurn(db(), 'an early turn', HOUR_MS)).toBe(true);
  expect((await next()) - before).toBeGreaterThanOrEqual(HOUR_MS);
});

/** Sets when whatever has turns is to be done next, from now. */
function setNextTurn(inMs: number): Promise<unknown> {
  return db()
    .updateTable('turns')
    .set({ next_at: sql<Date>`clock_timestamp() + ${inMs} * interval '1 millisecond'` })
    .execute();
}
