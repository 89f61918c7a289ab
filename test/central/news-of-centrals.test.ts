import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import { makeParts } from '../../db/central/make-parts.ts';
import { readSlice } from '../../db/central/read-slice.ts';
import { centralsToTell, noteCentralNews, noteCentralsTold } from '../../db/central/tell-centrals.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { tellSlices } from '../../engine/repair-centrals.ts';
import { seedCentral, seedParent } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const db = useTestDatabase();
let ref: { readonly accountId: string; readonly campaignId: string; readonly slice: number };
let parts: readonly { readonly subAccountId: string; readonly campaignId: string }[];

/** A central campaign whose two parts have been handed over, which their slice has seen. */
beforeEach(async () => {
  const seeded = await seedParent(db(), [{ contacts: 1 }, { contacts: 1 }]);
  const { accountId } = seeded.parent;
  const messages = [{ text: 'Hello' }];
  const { campaignId } = await seedCentral(db(), seeded, { at: NOON, start: 'now', messages });
  ref = { accountId, campaignId, slice: 0 };
  await inParent((trx) => prepareCampaign(trx, { accountId, campaignId, at: NOON }));
  parts = await inParent((trx) => makeParts(trx, ref));
  await inParent((trx) => readSlice(trx, ref));
});

function inParent<Result>(work: (trx: Trx) => Promise<Result>): Promise<Result> {
  return withAccount(db(), ref.accountId, work);
}

/** Ends the part at this index, or has it go on. */
async function setPart(index: number, status: 'finished' | 'started' | 'paused'): Promise<void> {
  const part = parts[index];
  if (part === undefined) throw new Error(`There is no part ${index}.`);
  await withAccount(db(), part.subAccountId, (trx) =>
    trx.updateTable('campaigns').set({ status }).where('id', '=', part.campaignId).execute(),
  );
}

interface Round {
  /** How often its run was told. */
  readonly told: number;
  readonly failure: string | null;
}

/** One round in which the slice looks; its run cannot be reached where the engine is away. */
async function round(engine: 'there' | 'away' = 'there'): Promise<Round> {
  let told = 0;
  let failure: string | null = null;
  await tellSlices({
    db: db(),
    workflows: {
      lookAtSlice: async (id) => {
        if (id === ref.campaignId) await inParent((trx) => readSlice(trx, ref));
        return true;
      },
      pokeCentral: (id) => {
        if (id === ref.campaignId) told += 1;
        return engine === 'there' ? Promise.resolve(true) : Promise.reject(new Error('The engine is away.'));
      },
      wakeCentral: () => Promise.resolve(),
      ensureCentral: () => Promise.resolve(),
    },
    onError: (error) => {
      failure = String(error);
    },
  });
  return { told, failure };
}

const TOLD: Round = { told: 1, failure: null };
const NOT_TOLD: Round = { told: 0, failure: null };

/** As if it had been told two minutes earlier than it was. */
async function passTwoMinutes(): Promise<void> {
  await sql`select note_centrals_told(${[ref.campaignId]}::text[], clock_timestamp() - interval '2 minutes')`.execute(
    db(),
  );
}

test('a central campaign is told once that states of its parts have changed, and not again without news', async () => {
  expect(await round()).toEqual(NOT_TOLD);
  await setPart(0, 'paused');
  expect(await round()).toEqual(TOLD);
  expect(await round()).toEqual(NOT_TOLD);
});

test('what changes within a minute of that is told once the minute is over', async () => {
  await setPart(0, 'paused');
  expect(await round()).toEqual(TOLD);
  await setPart(0, 'started');
  await setPart(1, 'paused');
  expect(await round()).toEqual(NOT_TOLD);
  // The slice has looked, and nobody tells it any more; the central campaign still has to hear of it.
  expect(await round()).toEqual(NOT_TOLD);
  await passTwoMinutes();
  expect(await round()).toEqual(TOLD);
  expect(await round()).toEqual(NOT_TOLD);
});

test('one that could not be told is told the next time', async () => {
  await setPart(0, 'paused');
  expect(await round('away')).toEqual({ told: 1, failure: 'Error: The engine is away.' });
  expect(await round()).toEqual(TOLD);
});

test('news that come while it is told are still told', async () => {
  await setPart(0, 'paused');
  await noteCentralNews(db(), [ref.campaignId]);
  const before = await centralsToTell(db(), 1_000);
  expect(before.campaignIds).toContain(ref.campaignId);
  await noteCentralNews(db(), [ref.campaignId]);
  await noteCentralsTold(db(), before);
  const after = await inParent((trx) =>
    trx
      .selectFrom('central_sends')
      .where('campaign_id', '=', ref.campaignId)
      .select(sql<boolean>`news_at > told_at`.as('isNews'))
      .executeTakeFirst(),
  );
  expect(after).toEqual({ isNews: true });
});
