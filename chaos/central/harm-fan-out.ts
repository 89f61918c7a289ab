import { setTimeout as delay } from 'node:timers/promises';
import { withOwner } from '../../dev/with-owner.ts';
import { FINAL_PART_STATES } from '../../domain/central/part-states.ts';
import type { CarrierFaults } from '../carrier-faults.ts';
import type { LedgerLine } from '../carrier-ledger.ts';
import { readPeople } from '../people.ts';
import type { Victims } from '../victims.ts';
import { waitThroughChaos } from '../wait-through-chaos.ts';
import type { Family } from './family.ts';
import type { OwnOrders } from './own-orders.ts';
import { type Deletion, pairKey } from './record.ts';
import { isMidFanOut, readParts, readStanding, type Standing, wordsOf } from './standing.ts';

/** What a central campaign is harmed with. */
export interface CentralWorld {
  readonly family: Family;
  readonly centralId: string;
  readonly databaseUrl: string;
  readonly ledger: () => Promise<readonly LedgerLine[]>;
  readonly faults: CarrierFaults;
  readonly victims: Victims;
  readonly orders: OwnOrders;
  readonly random: () => number;
}

/** What came of it. */
export interface CentralHarm {
  readonly deletion: Deletion | null;
  readonly harmsInFanOut: number;
  /** Answers of 429 in storms. */
  readonly throttled: number;
  /** By the pair's key: instants (epoch milliseconds) at which a STOP was answered. */
  readonly stoppedAt: ReadonlyMap<string, number>;
}

/** The kill that deletes Temporal's data. */
const DELETION = 2;
/** How many of all parts have been handed over when a kill comes, from and to. */
const SHARES = { first: [0.02, 0.15], deletion: [0.25, 0.5], later: [0.5, 0.98] } as const;
const PAUSE_MS = { min: 1_000, max: 8_000 };
/** A storm of 429 comes once so many kills, the first when everything has been handed over or with the last kill. */
const KILLS_OF_A_STORM = 10;
/** Longer than repair takes to start again what was lost, on a machine that has other things to do. */
const PATIENCE_MS = 15 * 60_000;

/**
 * Half of the kills, and the deletion as the second, come while parts are being handed over, each once so many have been;
 * the others while the accounts send. Throws an Error when most of the harm came after everybody had been dealt with.
 */
export async function harmFanOut(
  world: CentralWorld,
  { kills, say }: { readonly kills: number; readonly say: (line: string) => void },
): Promise<CentralHarm> {
  const { victims, orders, random, family, faults } = world;
  const shares = sharesOf(Math.ceil(kills / 2), random);
  const stoppedAt = new Map<string, number>();
  let deletion: Deletion | null = null;
  let harmsInFanOut = 0;
  let whileSending = 0;
  let throttled = 0;
  let nextStorm = 1;
  for (let kill = 1; kill <= kills; kill += 1) {
    const share = shares[kill - 1];
    if (share === undefined) {
      // Those who come faster than the system recovers would harm nobody who texts.
      if (!orders.areAllPaused()) await untilTexting(world);
      await delay(between(PAUSE_MS.min, PAUSE_MS.max, random));
    }
    const { standing, left } = await untilHanded(world, share ?? 0);
    const isMid = isMidFanOut(standing);
    if (left > 0) whileSending += 1;
    if (isMid) harmsInFanOut += 1;
    const harmed =
      kill === DELETION
        ? await victims.loseEngine(async () => {
            deletion = await lookAtDeletion(world);
          })
        : await victims.harmNext();
    say(`${kill}: ${harmed}, with ${wordsOf(standing)}, and ${left} people left.`);
    if (kill >= nextStorm && (!isMid || kill === kills)) {
      nextStorm += KILLS_OF_A_STORM;
      if (orders.areAllPaused()) await orders.settle();
      await untilTexting(world);
      const answers = await faults.storm();
      throttled += answers;
      say(`The carrier has answered 429 and nothing else, ${answers} times.`);
    }
    // Nothing comes between the first two kills: accounts are handed over faster than an order is answered.
    if (kill < DELETION) continue;
    const ordered = await orders.orderNext();
    if (ordered !== null) say(`Then ${ordered}.`);
    await stopOne(family, faults, random, stoppedAt);
  }
  if (whileSending < kills / 2) {
    throw new Error(`Only ${whileSending} of ${kills} times anybody was left: give more recipients.`);
  }
  return { deletion, harmsInFanOut, throttled, stoppedAt };
}

/** How many parts have to have been handed over for each of so many kills, as shares of all. */
function sharesOf(kills: number, random: () => number): number[] {
  const within = ([from, to]: readonly [number, number]): number => between(from, to, random);
  const later = Array.from({ length: Math.max(0, kills - DELETION) }, () => within(SHARES.later));
  return [within(SHARES.first), within(SHARES.deletion), ...later.toSorted((one, other) => one - other)];
}

function between(from: number, to: number, random: () => number): number {
  return from + random() * (to - from);
}

async function untilHanded(
  { databaseUrl, centralId, family }: CentralWorld,
  share: number,
): Promise<{ standing: Standing; left: number }> {
  const standing = await waitThroughChaos(
    () => readStanding(databaseUrl, centralId),
    ({ handed, accounts }) => accounts > 0 && handed >= share * accounts,
    PATIENCE_MS,
  );
  const settled = await waitThroughChaos(
    () => countSettled(databaseUrl, centralId),
    () => true,
  );
  const contacts = family.subAccounts.reduce((sum, account) => sum + account.contacts.length, 0);
  return { standing, left: contacts - settled };
}

/** Waits for a text, if any is still to come. A storm that nobody posts into is none. */
async function untilTexting({ ledger, databaseUrl, centralId }: CentralWorld): Promise<void> {
  const before = (await ledger()).length;
  await waitThroughChaos(
    async () => {
      const { accounts, over } = await readStanding(databaseUrl, centralId);
      return over === accounts || (await ledger()).length > before;
    },
    (isSo) => isSo,
    PATIENCE_MS,
  );
}

/** Who is texted no more since his account has aborted its part counts as left; those are few. */
async function countSettled(databaseUrl: string, centralId: string): Promise<number> {
  const parts = await readParts(databaseUrl, centralId);
  return withOwner(databaseUrl, async (db) => {
    const people = await readPeople(
      db,
      parts.map(({ campaignId }) => campaignId),
    );
    return people.filter(({ isSettled }) => isSettled).length;
  });
}

/** Temporal does not run, so nothing is handed over while this looks. */
async function lookAtDeletion({ databaseUrl, centralId, ledger }: CentralWorld): Promise<Deletion> {
  const standing = await readStanding(databaseUrl, centralId);
  const parts = await readParts(databaseUrl, centralId);
  const isOver = (state: string): boolean => FINAL_PART_STATES.some((final) => final === state);
  return {
    at: Date.now(),
    standing,
    waiting: standing.lacking + standing.made,
    open: parts.filter(({ state }) => !isOver(state)).map(({ campaignId }) => campaignId),
    texts: (await ledger()).length,
  };
}

/** Somebody sends STOP to one account. It counts from when it was answered; one that nobody answered counts for nothing. */
async function stopOne(
  { subAccounts }: Family,
  { sandbox }: CarrierFaults,
  random: () => number,
  stoppedAt: Map<string, number>,
): Promise<void> {
  const account = subAccounts[Math.floor(random() * subAccounts.length)];
  const contact = account?.contacts[Math.floor(random() * account.contacts.length)];
  if (account === undefined || contact === undefined) return;
  const { number } = contact;
  const answer = await sandbox
    .post<{ status: number | null }>('/sandbox/inbound', { from: number, to: account.address, text: 'STOP' })
    .catch(() => null);
  const key = pairKey(account.address, number);
  if (answer?.status === 200 && !stoppedAt.has(key)) stoppedAt.set(key, Date.now());
}
