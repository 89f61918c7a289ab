import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, openPool, type Db, withAccount } from '../../db/database.ts';
import { campaignsToRun } from '../../db/repair.ts';
import { type CampaignRepairSizes, createCampaignRepair } from '../../engine/repair-campaigns.ts';
import { seedAccount, seedCampaign } from '../support/seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const CAMPAIGNS = 7;
const NOON = Date.parse('2026-03-03T12:00:00-05:00');

let database: TestDatabase;
let db: Db;
let ids: string[];
let waiting: string;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(openPool({ connectionString: database.url, connectionsMax: 4, role: 'carillon_app' }));
  const account = await seedAccount(db, { contacts: 1 });
  ids = [];
  for (let made = 0; made < CAMPAIGNS; made += 1) {
    const { campaignId } = await seedCampaign(db, account, {
      at: NOON,
      start: 'now',
      messages: [{ text: 'Hello' }],
    });
    ids.push(campaignId);
  }
  ids.sort();
  waiting = ids[2] ?? '';
  await withAccount(db, account.accountId, async (trx) => {
    await trx.updateTable('actions').set({ state: 'applied' }).where('campaign_id', '<>', waiting).execute();
    await trx.updateTable('actions').set({ state: 'requested' }).where('campaign_id', '=', waiting).execute();
    // What rests needs no run, but whoever has ordered something of it is to be answered.
    await trx.updateTable('campaigns').set({ status: 'stopped' }).where('id', '=', waiting).execute();
    await trx
      .updateTable('campaigns')
      .set({ status: 'finished' })
      .where('id', '=', ids[4] ?? '')
      .execute();
  });
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** An engine that lists these runs, or cannot, and what repair asks of it. */
function scriptedEngine(
  listed: readonly string[] | Error,
  sizes?: CampaignRepairSizes,
  { stopAfter, refused }: { readonly stopAfter?: number; readonly refused?: string } = {},
) {
  const ensured: string[] = [];
  const woken: string[] = [];
  const errors: unknown[] = [];
  const repair = createCampaignRepair(
    {
      db,
      workflows: {
        ensureCampaign: async (_, id) => {
          if (id === refused) throw new Error('It has more signals than the engine takes.');
          ensured.push(id);
          await Promise.resolve();
        },
        wakeCampaign: async (_, id) => {
          woken.push(id);
          await Promise.resolve();
        },
        // No part of a central campaign is among them.
        pokeCampaign: () => Promise.resolve(true),
        hasRun: () => Promise.resolve(true),
        runningCampaigns: () =>
          listed instanceof Error ? Promise.reject(listed) : Promise.resolve((id) => listed.includes(id)),
      },
      onError: (error) => errors.push(error),
      isStopped: () => ensured.length === stopAfter,
    },
    sizes,
  );
  return { ensured, woken, errors, repair };
}

const live = (): string[] => ids.filter((id) => id !== waiting && id !== ids[4]);

test('every campaign that should have a run is found, a page at a time', async () => {
  const found: string[] = [];
  for (;;) {
    const page = await campaignsToRun(db, found.at(-1) ?? '', 2);
    if (page.length === 0) break;
    expect(page.length).toBeLessThanOrEqual(2);
    for (const one of page) {
      expect(one.hasWaitingAction).toBe(one.id === waiting);
      found.push(one.id);
    }
  }
  expect(found).toEqual(ids.filter((id) => id !== ids[4]));
});

test('an engine that has lost everything is given every run back, and told of the action that waits', async () => {
  const engine = scriptedEngine([]);
  await engine.repair();
  expect(engine.ensured.toSorted()).toEqual(live());
  expect(engine.woken).toEqual([waiting]);
});

test('an engine that cannot list its runs is asked for each, and the failure is told', async () => {
  const engine = scriptedEngine(new Error('There is no list.'));
  await engine.repair();
  expect(engine.ensured.toSorted()).toEqual(live());
  expect(engine.errors).toHaveLength(1);
});

test('runs that the engine lists are believed, but for some that are made sure of in turn', async () => {
  const engine = scriptedEngine(ids);
  await engine.repair();
  await engine.repair();
  // As few as here are all made sure of in each round.
  expect(engine.ensured.toSorted()).toEqual([...live(), ...live()].toSorted());
});

test('of runs that the engine lists no more are made sure of in a round than may be, and in the end each is', async () => {
  const { ensured, repair } = scriptedEngine(ids, { page: 2, doubtedMax: 2 });
  await repair();
  expect(ensured.toSorted()).toEqual(live().slice(0, 2));
  await repair();
  await repair();
  expect(ensured.toSorted()).toEqual(live());
  await repair();
  expect(ensured.slice(live().length).toSorted()).toEqual(live().slice(0, 2));
});

test('a campaign that the engine refuses keeps no other from its run, and is told of', async () => {
  const [refused = ''] = live();
  const engine = scriptedEngine([], { page: 1, doubtedMax: 1 }, { refused });
  await engine.repair();
  expect(engine.ensured.toSorted()).toEqual(live().slice(1));
  expect(engine.woken).toEqual([waiting]);
  expect(engine.errors).toHaveLength(1);
});

test('a worker that stops begins no more of it', async () => {
  const { ensured, repair } = scriptedEngine([], { page: 3, doubtedMax: 2 }, { stopAfter: 1 });
  await repair();
  expect(ensured).toHaveLength(1);
});
