import { sql } from 'kysely';
import { DatabaseError } from 'pg';
import { expect, test } from 'vitest';
import { lockCampaign } from '../../db/campaigns.ts';
import type { MadePart } from '../../db/central/make-parts.ts';
import { actAs, withAccount } from '../../db/database.ts';
import { until } from '../../dev/until.ts';
import { seedParent } from '../support/seed-central.ts';
import type { SeededAccount } from '../support/seed.ts';
import { useTestDatabase } from '../support/use-test-database.ts';
import {
  centralStepOf,
  type Contended,
  type Deed,
  endOf,
  overruleOf,
  ownOrderOf,
  parentsOrderOf,
  retryOf,
  sliceOf,
  stepOf,
} from './deeds-on-parts.ts';
import { type DrivenCentral, driveCentral, refusePart, stepPart } from './drive-central.ts';
import { incoherences } from './incoherences.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const ZONE = 'America/New_York';
const TEXT = 'Golden chance';
const ACCOUNTS = 8;
/** As many as the test's database has connections. */
const AT_ONCE = 8;
const LOCK_MS_MAX = 20_000;
const db = useTestDatabase();

test.each([1, 2, 3, 4])(
  'parts that are overruled, tried again, steered, stopped and left at once meet no deadlock, in draw %i',
  async (seed) => {
    const { begin, contended, rest } = await open();
    const { failures, outcomes } = await runAtOnce([...begin, ...shuffled(rest, seed)]);
    expect(failures).toEqual([]);
    // Else nobody would have met anybody.
    const won = ['overrule ordered', 'prepared_again', 'resumed'];
    expect(outcomes.filter((outcome) => won.includes(outcome))).not.toHaveLength(0);
    expect(outcomes).toEqual(
      expect.arrayContaining(['account_left', 'account_disabled', 'looked', 'stepped']),
    );
    await comeToRest(contended);
    expect(await incoherences(db(), contended.seeded)).toEqual([]);
  },
);

test('a part whose row is written twice waits for nobody who has its central campaign locked and waits for it', async () => {
  const { contended, parts } = await open();
  const { at, centrals, seeded } = contended;
  const [central] = centrals;
  const [part] = parts;
  if (central === undefined || part === undefined) throw new Error('No part was made.');
  const retried = await retryOf(contended, central, part.subAccountId)();
  expect(retried).toBe('prepared_again');
  const accounts = { from: seeded.parent.accountId, to: part.subAccountId };
  const working = await central.inParent(async (trx) => {
    await lockCampaign(trx, central.campaignId);
    // PostgreSQL looks anew whether the central campaign is there for what one transaction writes twice.
    let isOver = false;
    const begun = stepPart(db(), part, at).finally(() => {
      isOver = true;
    });
    begun.catch(() => undefined);
    await until(countWaiting, (waiting) => isOver || waiting > 0, LOCK_MS_MAX);
    await actAs(trx, accounts, () => lockCampaign(trx, part.campaignId));
    return { begun };
  });
  await expect(working.begun).resolves.toBeUndefined();
});

/** How many wait for what somebody else has locked. */
async function countWaiting(): Promise<number> {
  const { rows } = await sql`
    select from pg_locks w
    where not w.granted and w.pid in (
      select h.pid from pg_locks h join pg_database d on d.oid = h.database where d.datname = current_database())`.execute(
    db(),
  );
  return rows.length;
}

interface Opened {
  readonly contended: Contended;
  /** Of the campaign that has them. */
  readonly parts: readonly MadePart[];
  /** What is done first, while every part still waits for a word. */
  readonly begin: readonly Deed[];
  readonly rest: readonly Deed[];
}

/**
 * Two campaigns of the same accounts: of one every part is there, rejected or stopped since its content was refused; those
 * of the other are still to be made.
 */
async function open(): Promise<Opened> {
  const seeded = await seedParent(
    db(),
    Array.from({ length: ACCOUNTS }, () => ({ contacts: 1 })),
  );
  const launch = {
    at: NOON,
    start: 'scheduled',
    messages: [{ text: TEXT, schedule: { local: '2027-01-12T13:00', zone: ZONE } }],
  } as const;
  const made = await driveCentral(db(), seeded, launch);
  await made.goOn(NOON);
  const parts = await made.makeParts();
  for (const part of parts) {
    if (part.number % 2 === 1) {
      await withAccount(db(), part.subAccountId, (trx) =>
        trx.updateTable('campaigns').set({ was_restarted: true }).where('id', '=', part.campaignId).execute(),
      );
    }
    await refusePart(db(), part, TEXT, NOON);
  }
  const unmade = await driveCentral(db(), seeded, launch);
  await unmade.goOn(NOON);
  const restartAt = { local: '2027-01-13T10:00', zone: ZONE };
  const contended = { db: db(), seeded, centrals: [made, unmade], at: NOON, restartAt };
  const owned = parts.map((part) => ({ part, account: accountOf(seeded.children, part.subAccountId) }));
  const setGoing = owned.flatMap(({ account, part }) => [
    overruleOf(contended, part, account),
    retryOf(contended, made, part.subAccountId),
  ]);
  const ofParts = owned.flatMap(({ account, part }, index) => [
    ...times(3, stepOf(contended, part)),
    ...times(2, overruleOf(contended, part, account)),
    ...times(2, retryOf(contended, made, part.subAccountId)),
    retryOf(contended, unmade, part.subAccountId),
    ...(index === 0 ? [ownOrderOf(contended, part, account, 'abort')] : []),
    ...(index > 0 && index < 4
      ? (['pause', 'resume'] as const).map((name) => ownOrderOf(contended, part, account, name))
      : []),
  ]);
  const ofCentrals = contended.centrals.flatMap((central) => [
    ...times(12, centralStepOf(contended, central)),
    ...times(6, sliceOf(contended, central)),
    ...times(2, parentsOrderOf(contended, central, 'stop')),
    ...times(2, parentsOrderOf(contended, central, 'restart')),
    parentsOrderOf(contended, central, 'pause'),
    parentsOrderOf(contended, central, 'resume'),
    parentsOrderOf(contended, central, 'reschedule'),
  ]);
  const [disabled, ...left] = seeded.children.slice(-3);
  const ends = [
    ...(disabled === undefined ? [] : [endOf(contended, disabled, 'account_disabled')]),
    ...left.map((account) => endOf(contended, account, 'account_left')),
  ];
  return { contended, parts, begin: setGoing, rest: [...ofParts, ...ofCentrals, ...ends] };
}

function accountOf(children: readonly SeededAccount[], accountId: string): SeededAccount {
  const account = children.find((child) => child.accountId === accountId);
  if (account === undefined) throw new Error('It is nobody’s part.');
  return account;
}

function times(count: number, deed: Deed): Deed[] {
  return Array.from({ length: count }, () => deed);
}

/** The same in an order that the seed alone decides. */
function shuffled(deeds: readonly Deed[], seed: number): Deed[] {
  let state = seed;
  const next = (): number => {
    // Marsaglia's xorshift of 32 bits.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return deeds
    .map((deed) => ({ deed, place: next() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ deed }) => deed);
}

/** Does them in this order, so many at once. Resolves with what failed, and what became of the others. */
async function runAtOnce(deeds: readonly Deed[]): Promise<{ failures: string[]; outcomes: string[] }> {
  const failures: string[] = [];
  const outcomes: string[] = [];
  const left = deeds.values();
  const work = async (): Promise<void> => {
    for (const deed of left) {
      try {
        outcomes.push(await deed());
      } catch (error) {
        failures.push(wordsOf(error));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { failures, outcomes };
}

/** With PostgreSQL's code, such as 40P01 for a deadlock. */
function wordsOf(error: unknown): string {
  if (error instanceof DatabaseError) return `${error.code ?? ''}: ${error.message} ${error.detail ?? ''}`;
  return error instanceof Error ? error.message : String(error);
}

/** Lets the runs take their last steps, with nobody in their way. */
async function comeToRest({ at, centrals, db: database }: Contended): Promise<void> {
  for (const central of centrals) {
    await central.goOn(at);
    await central.makeParts();
    for (const part of await everyPart(central)) await stepPart(database, part, at);
    await central.goOn(at);
  }
}

/** Also those that are over: their runs still answer what was ordered before. */
async function everyPart({ campaignId, inParent }: DrivenCentral): Promise<MadePart[]> {
  const rows = await inParent((trx) =>
    trx
      .selectFrom('central_parts')
      .where('central_id', '=', campaignId)
      .select(['number', 'sub_account_id as subAccountId', 'campaign_id as campaignId'])
      .orderBy('number')
      .execute(),
  );
  return rows.flatMap((row) => (row.campaignId === null ? [] : [{ ...row, campaignId: row.campaignId }]));
}
