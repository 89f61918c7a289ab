import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { grantList } from '../../db/reconcile/grant-list.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { carriersToAsk, closeUnknowns } from '../../db/reconcile/unknowns.ts';
import { applyStatusReports, type StatusReport } from '../../db/status-reports.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { Lease } from '../../domain/dispatch/dispatch-store.ts';
import {
  type FrozenCampaign,
  type LedgerWorld,
  openLedgerWorld,
  resultsOf,
  statusReportOf,
  uuidOf,
} from './ledger-world.ts';
import { readEvidence, scriptList } from './reconcile-world.ts';

const MINUTE_MS = 60_000;
const SOON_MS = MINUTE_MS;
const LATE_MS = 16 * MINUTE_MS;
const NOBODY = { unresolved: 0, absent: 0, final: 0 };

let world: LedgerWorld;
let list: ReturnType<typeof scriptList>['list'];
let ask: ReturnType<typeof scriptList>['ask'];
beforeAll(async () => {
  world = await openLedgerWorld();
});
beforeEach(() => {
  ({ list, ask } = scriptList(world.db));
});
afterAll(() => world.close());

async function oneUnknown(): Promise<{ campaign: FrozenCampaign; lease: Lease; number: string }> {
  const campaign = await world.freeze(1);
  const lease = await campaign.lease();
  await campaign.record(lease, 'unknown');
  return { campaign, lease, number: lease.recipients[0]?.number ?? '' };
}

const deliveredTo = (campaign: FrozenCampaign, lease: Lease): StatusReport =>
  statusReportOf(campaign, lease, { status: 'delivered' });

const statesOf = async (campaign: FrozenCampaign) => (await readEvidence(campaign)).map(({ state }) => state);

describe('an unknown attempt', () => {
  it('that the list shows is accepted under its uuid, once', async () => {
    const { campaign, number } = await oneUnknown();
    expect(await campaign.report()).toMatchObject({ accepted: 0, unknown: 1 });
    list.records.set(number, [uuidOf(1)]);
    expect(await ask(campaign, SOON_MS)).toBe('accepted');
    expect(await campaign.report()).toMatchObject({ accepted: 1, unknown: 0 });
    expect(await readEvidence(campaign)).toMatchObject([
      { state: 'accepted', verdict: 'accepted', listed: 1, explained: 0, isComplete: true, asks: 1 },
    ]);
    expect(await ask(campaign, LATE_MS), 'nobody is left to be asked for').toBeNull();
  });

  it('is looked for from before its lease to after its record, from its sender to its number', async () => {
    const { campaign, number } = await oneUnknown();
    await ask(campaign, SOON_MS);
    const [asked] = list.asked;
    expect(asked).toMatchObject({ from: '12345', to: number, offset: 0 });
    const now = Date.now();
    expect(asked?.since).toBeLessThan(now - 50_000);
    expect(asked?.until).toBeGreaterThan(now + MINUTE_MS);
  });

  it('that the list lacks is absent only when asked long enough after the post', async () => {
    const { campaign } = await oneUnknown();
    expect(await ask(campaign, SOON_MS)).toBe('too_early');
    expect(await campaign.report()).toMatchObject({ unknown: 1 });
    expect(await statesOf(campaign)).toEqual(['open']);
    expect(await ask(campaign, LATE_MS)).toBe('absent');
    expect(await statesOf(campaign)).toEqual(['absent']);
    expect(await campaign.report(), 'he is still unknown').toMatchObject({
      accepted: 0,
      unknown: 1,
      unknownAs: { unresolved: 0, absent: 1, final: 0 },
    });
  });

  it('that was absent and shows later all the same is accepted', async () => {
    const { campaign, number } = await oneUnknown();
    await ask(campaign, LATE_MS);
    list.records.set(number, [uuidOf(1)]);
    expect(await ask(campaign, 70 * MINUTE_MS)).toBe('accepted');
    expect(await campaign.report()).toMatchObject({ accepted: 1, unknown: 0, unknownAs: NOBODY });
    expect(await statesOf(campaign)).toEqual(['accepted']);
  });

  it('that a report has resolved is not asked for, and the list changes nothing of it', async () => {
    const { campaign, lease } = await oneUnknown();
    await applyStatusReports({ db: world.db, crash: noCrash }, [deliveredTo(campaign, lease)]);
    expect(await statesOf(campaign)).toEqual(['accepted']);
    expect(await ask(campaign, LATE_MS)).toBeNull();
    expect(await campaign.report()).toMatchObject({ accepted: 1, delivered: 1, unknown: 0 });
  });

  it('that a report and the list resolve at the same time is accepted once, without either waiting for the other', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { campaign, lease, number } = await oneUnknown();
      list.records.set(number, [uuidOf(1)]);
      const [verdict, verdicts] = await Promise.all([
        ask(campaign, SOON_MS),
        applyStatusReports({ db: world.db, crash: noCrash }, [deliveredTo(campaign, lease)]),
        campaign.record(lease, 'accepted'),
      ]);
      expect(['accepted', 'unclear', null]).toContain(verdict);
      expect(verdicts).toEqual(['applied']);
      expect(await campaign.report()).toMatchObject({ accepted: 1, delivered: 1, unknown: 0 });
    }
  });

  it('is not decided by a list that could not be had, and has its turn again later', async () => {
    const { campaign } = await oneUnknown();
    list.fails = { kind: 'failed', cause: 'unavailable', retryAfterMs: null };
    expect(await ask(campaign, LATE_MS)).toBe('failed');
    expect(await ask(campaign, LATE_MS), 'not at once').toBeNull();
    list.fails = null;
    expect(await ask(campaign, LATE_MS + 2 * MINUTE_MS)).toBe('absent');
  });

  it('is found on later pages, too; a list that never ends decides nothing', async () => {
    const { campaign, number } = await oneUnknown();
    list.pageSize = 2;
    list.records.set(number, ['a', 'b', 'c']);
    expect(await ask(campaign, SOON_MS), 'three records for one text').toBe('unclear');
    expect(list.asked.map(({ offset }) => offset)).toEqual([0, 2]);
    list.records.set(
      number,
      Array.from({ length: 100 }, (_, index) => `u${index}`),
    );
    expect(await ask(campaign, LATE_MS)).toBe('unclear');
    expect(await readEvidence(campaign)).toMatchObject([{ state: 'open', isComplete: false, listed: 10 }]);
  });

  it('of somebody who was erased cannot be asked for and waits for its horizon', async () => {
    const { campaign } = await oneUnknown();
    await campaign.inside((trx) => sql`update recipients set number = null`.execute(trx));
    expect(await ask(campaign, LATE_MS)).toBe('failed');
    expect(list.asked).toEqual([]);
    expect(await ask(campaign, 20 * 60 * MINUTE_MS)).toBeNull();
  });

  it('is final a day after its record, and a later proof still counts', async () => {
    const { campaign, lease, number } = await oneUnknown();
    const { carrierAccountId } = campaign.account;
    await ask(campaign, LATE_MS);
    expect(await closeUnknowns(world.db, carrierAccountId, Date.now() - MINUTE_MS, 10)).toBe(0);
    expect(await closeUnknowns(world.db, carrierAccountId, Date.now() + MINUTE_MS, 10)).toBe(1);
    expect(await statesOf(campaign)).toEqual(['final']);
    expect(await campaign.report()).toMatchObject({ unknown: 1, unknownAs: { ...NOBODY, final: 1 } });
    expect(await ask(campaign, 25 * 60 * MINUTE_MS), 'it is asked for no more').toBeNull();
    expect(number).not.toBe('');
    await campaign.record(lease, 'accepted');
    expect(await statesOf(campaign)).toEqual(['accepted']);
    expect(await campaign.report()).toMatchObject({ accepted: 1, unknown: 0, unknownAs: NOBODY });
  });
});

describe('two texts to one number', () => {
  /** Another campaign of the same account and list, so of the same number and sender. */
  async function twoUnknown(): Promise<{ one: FrozenCampaign; other: FrozenCampaign; number: string }> {
    const { campaign: one, number } = await oneUnknown();
    const other = await world.freezeAgain(one);
    await other.record(await other.lease(), 'unknown');
    return { one, other, number };
  }

  it('and one record: nobody is taken for accepted or absent', async () => {
    const { one, other, number } = await twoUnknown();
    list.records.set(number, ['a']);
    expect(await ask(one, LATE_MS)).toBe('unclear');
    expect(await ask(one, LATE_MS)).toBe('unclear');
    expect(await statesOf(one)).toEqual(['open']);
    expect(await statesOf(other)).toEqual(['open']);
  });

  it('and two records: both are accepted by one request, without a guess whose is which', async () => {
    const { one, other, number } = await twoUnknown();
    list.records.set(number, ['a', 'b']);
    expect(await ask(one, SOON_MS)).toBe('accepted');
    expect(list.asked).toHaveLength(1);
    for (const campaign of [one, other]) {
      expect(await statesOf(campaign)).toEqual(['accepted']);
      expect(await campaign.report()).toMatchObject({ accepted: 1, unknown: 0 });
    }
    expect(await ask(one, LATE_MS)).toBeNull();
  });

  it('of which one is known by its uuid: its record says nothing of the other', async () => {
    const { campaign: one, number } = await oneUnknown();
    const other = await world.freezeAgain(one);
    await other.record(await other.lease(), 'accepted');
    list.records.set(number, [uuidOf(1)]);
    expect(await ask(one, SOON_MS)).toBe('too_early');
    expect(await ask(one, LATE_MS)).toBe('absent');
    expect(await readEvidence(one)).toMatchObject([{ listed: 1, explained: 1 }]);
    expect(await other.report()).toMatchObject({ accepted: 1 });
  });

  it('of which one is being posted: nothing is decided until it is recorded', async () => {
    const { campaign: one, number } = await oneUnknown();
    const other = await world.freezeAgain(one);
    const lease = await other.lease();
    list.records.set(number, [uuidOf(1)]);
    expect(await ask(one, SOON_MS)).toBe('unclear');
    await other.record(lease, 'accepted');
    expect(await ask(one, LATE_MS)).toBe('absent');
  });

  it('of which one went out just before the time looked through: the only record may be of either', async () => {
    const { campaign: one, number } = await oneUnknown();
    const other = await world.freezeAgain(one);
    const before = await other.lease();
    // As after a request in bulk form whose reports have all been lost.
    const results = resultsOf(before, 'accepted').map((result) => ({ ...result, carrierUuid: null }));
    const store = createPostgresDispatchStore({ db: world.db, crash: noCrash, mediaUrl: (token) => token });
    await store.record(before, results, Date.now());
    await other.inside((trx) =>
      sql`update leases set opened_at = opened_at - interval '90 seconds' where id = ${before.id}`.execute(
        trx,
      ),
    );
    list.records.set(number, ['a']);
    expect(await ask(one, LATE_MS)).toBe('unclear');
    expect(await statesOf(one)).toEqual(['open']);
  });

  it('of which one went out just after the time looked through: by its own clock the carrier may list it within', async () => {
    const { campaign: one, number } = await oneUnknown();
    const other = await world.freezeAgain(one);
    const after = await other.lease();
    await other.record(after, 'accepted');
    await other.inside((trx) =>
      sql`update leases set opened_at = opened_at + interval '150 seconds' where id = ${after.id}`.execute(
        trx,
      ),
    );
    list.records.set(number, [uuidOf(1)]);
    expect(await ask(one, LATE_MS)).toBe('absent');
    expect(await other.report()).toMatchObject({ accepted: 1 });
  });

  it('from another sender or to another number do not count', async () => {
    const { campaign, number } = await oneUnknown();
    const stranger = await oneUnknown();
    list.records.set(number, [uuidOf(1)]);
    expect(await ask(campaign, SOON_MS), 'their carrier accounts differ').toBe('accepted');
    expect(await statesOf(stranger.campaign)).toEqual(['open']);
  });
});

describe('the turn of unknown attempts', () => {
  it('is of the oldest first, and each has it once at a time', async () => {
    const campaign = await world.freeze(4);
    for (let round = 0; round < 2; round += 1) await campaign.record(await campaign.lease(), 'unknown');
    const taken: (string | null)[] = [];
    for (let turn = 0; turn < 5; turn += 1) taken.push(await ask(campaign, SOON_MS));
    expect(taken).toEqual(['too_early', 'too_early', 'too_early', 'too_early', null]);
    const numbers = list.asked.map(({ to }) => to);
    expect(new Set(numbers).size).toBe(4);
  });

  it('is told by carrier account, and not before the usual reports are in', async () => {
    const { campaign } = await oneUnknown();
    const { carrierAccountId } = campaign.account;
    expect(await carriersToAsk(world.db, Date.now())).not.toContain(carrierAccountId);
    expect(await carriersToAsk(world.db, Date.now() + SOON_MS)).toContain(carrierAccountId);
  });

  it("is spread over the carrier's minute, for all processes together", async () => {
    const { campaign } = await oneUnknown();
    const { carrierAccountId } = campaign.account;
    const grants = await Promise.all(Array.from({ length: 40 }, () => grantList(world.db, carrierAccountId)));
    const delays = grants.toSorted((one, other) => one - other);
    const twenties = delays.slice(20).map((delayMs, index) => delayMs - (delays[index] ?? 0));
    expect(Math.min(...twenties)).toBeGreaterThan(60_000);
  });
});
