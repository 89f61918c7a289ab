import { beforeEach, describe, expect, it } from 'vitest';
import { FAILURES_MIN, PROBE_DELAY_MS } from '../../../domain/dispatch/circuit.ts';
import { onlyLease } from '../only-lease.ts';
import {
  HOUR_MS,
  type MakeHarness,
  results,
  startRun,
  type StoreHarness,
  type StoreRun,
} from './store-harness.ts';

/** What stops a store from handing anybody out, and what it gives back. */
export function describeLimits(name: string, make: MakeHarness): void {
  describe(`the dispatch store in ${name}: limits`, () => {
    let world: StoreHarness;
    let enter: StoreRun['enter'];
    let open: StoreRun['open'];
    beforeEach(async () => {
      ({ world, enter, open } = await startRun(make));
    });

    it('stops at the spend limit and gives back what was not accepted', async () => {
      const { fence } = await enter();
      await world.setSpendLimit(60);
      const first = onlyLease(await open(fence));
      const second = onlyLease(await open(fence));
      expect(first.recipients.length + second.recipients.length).toBe(60);
      // What is under way may be given back, and a suspension would halt it.
      expect((await open(fence)).kind).toBe('wait');
      await world.store.record(first, results(first, 'accepted'), world.noon);
      expect((await open(fence)).kind).toBe('wait');
      await world.store.record(second, results(second, 'not_accepted'), world.noon + HOUR_MS);
      expect(await world.textsSpent()).toBe(first.recipients.length);
      const third = onlyLease(await open(fence));
      await world.store.record(third, results(third, 'accepted'), world.noon);
      expect(await open(fence)).toEqual({
        kind: 'suspend',
        cause: 'spend_limit',
        textMicroUsd: third.recipients[0]?.costMicroUsd,
      });
    });

    it('gives back what just this text cost where its report comes before the record of texts of several lengths', async () => {
      await world.lengthen(1);
      const { fence } = await enter();
      const lease = onlyLease(await open(fence, world.noon, 0, 2));
      expect(lease.recipients.map(({ recipient, segments }) => [recipient, segments])).toEqual([
        [1, 3],
        [2, 1],
      ]);
      expect(await world.textsSpent()).toBe(4);
      expect(await world.report(lease, 2, 'failed')).toBe('applied');
      expect(await world.textsSpent()).toBe(3);
      await world.store.record(lease, results(lease, 'accepted'), world.noon);
      expect(await world.textsSpent()).toBe(3);
      expect(await world.report(lease, 1, 'failed')).toBe('applied');
      expect(await world.textsSpent()).toBe(0);
    });

    it('gives back what just this text cost where a lost worker held texts of several lengths', async () => {
      await world.suppress(1);
      await world.lengthen(3);
      const { fence } = await enter();
      const lease = onlyLease(await open(fence, world.noon, 0, 4));
      expect(lease.recipients.map(({ recipient, segments }) => [recipient, segments])).toEqual([
        [2, 1],
        [3, 3],
        [4, 1],
      ]);
      expect((await enter()).unknown).toBe(3);
      expect(await world.report(lease, 3, 'failed')).toBe('applied');
      expect(await world.textsSpent()).toBe(2);
      expect(await world.report(lease, 2, 'failed')).toBe('applied');
      expect(await world.textsSpent()).toBe(1);
    });

    it("stops at the campaign's budget, and goes on once it is raised or taken away", async () => {
      const { fence } = await enter();
      await world.setBudget(60);
      const first = onlyLease(await open(fence));
      const second = onlyLease(await open(fence));
      expect(first.recipients.length + second.recipients.length).toBe(60);
      expect((await open(fence)).kind).toBe('wait');
      for (const lease of [first, second])
        await world.store.record(lease, results(lease, 'accepted'), world.noon);
      const textMicroUsd = first.recipients[0]?.costMicroUsd;
      expect(await open(fence)).toEqual({ kind: 'suspend', cause: 'campaign_budget', textMicroUsd });
      await world.setBudget(65);
      const third = onlyLease(await open(fence));
      expect(third.recipients).toHaveLength(5);
      await world.store.record(third, results(third, 'rejected'), world.noon);
      const fourth = onlyLease(await open(fence));
      expect(fourth.recipients).toHaveLength(5);
      await world.store.record(fourth, results(fourth, 'accepted'), world.noon);
      expect(await open(fence)).toEqual({ kind: 'suspend', cause: 'campaign_budget', textMicroUsd });
      await world.setBudget(null);
      expect((await open(fence)).kind).toBe('leased');
    });

    it('counts what was spent before a budget was given', async () => {
      const { fence } = await enter();
      const first = onlyLease(await open(fence));
      await world.store.record(first, results(first, 'accepted'), world.noon);
      await world.setBudget(first.recipients.length);
      expect(await open(fence)).toMatchObject({ kind: 'suspend', cause: 'campaign_budget' });
    });

    it('opens no lease for any lane while the carrier has asked for a pause', async () => {
      const fences = [await enter(0), await enter(1)];
      const lease = onlyLease(await open(fences[0]?.fence ?? 0, world.noon, 0, 5));
      await world.store.slowDown(lease, 60_000);
      for (const [lane, entered] of fences.entries()) {
        const answer = await open(entered.fence, world.noon, lane);
        if (answer.kind !== 'wait') throw new Error(`Expected to wait, got ${answer.kind}.`);
        expect(answer.delayMs).toBeGreaterThan(50_000);
        expect(answer.delayMs).toBeLessThanOrEqual(60_000);
      }
    });

    it('fills a daily cap, never passes it, and says how long its day still is', async () => {
      const { fence } = await enter();
      await world.setDayCap(60);
      const first = onlyLease(await open(fence));
      const second = onlyLease(await open(fence));
      expect(first.recipients.length + second.recipients.length).toBe(60);
      expect((await open(fence)).kind, 'what is under way may be given back').toBe('wait');
      await world.store.record(first, results(first, 'accepted'), world.noon);
      await world.store.record(second, results(second, 'rejected'), world.noon);
      const third = onlyLease(await open(fence));
      expect(third.recipients).toHaveLength(second.recipients.length);
      await world.store.record(third, results(third, 'accepted'), world.noon);
      // Midnight in Los Angeles, as seen from noon in New York.
      expect(await open(fence)).toEqual({ kind: 'wait', delayMs: 15 * HOUR_MS });
      expect((await open(fence, world.noon + 20 * HOUR_MS)).kind).toBe('leased');
    });

    it('leaves a carrier alone after requests that failed one after the other, until it takes a text', async () => {
      const { fence } = await enter();
      await world.noteFailures(FAILURES_MIN - 1);
      expect((await open(fence, world.noon, 0, 5)).kind).toBe('leased');
      await world.noteFailures(1);
      const answer = await open(fence);
      if (answer.kind !== 'wait') throw new Error(`Expected to wait, got ${answer.kind}.`);
      expect(answer.delayMs).toBeGreaterThan(0);
      expect(answer.delayMs).toBeLessThanOrEqual(PROBE_DELAY_MS);
      await world.noteTaken();
      expect((await open(fence)).kind).toBe('leased');
    });

    it('lets nobody post in a short pause either, also where no limit spreads the requests', async () => {
      const { fence } = await enter();
      const lease = onlyLease(await open(fence, world.noon, 0, 5));
      await world.store.slowDown(lease, 900);
      const { startDelayMs } = onlyLease(await open(fence));
      expect(startDelayMs).toBeGreaterThan(0);
      expect(startDelayMs).toBeLessThanOrEqual(900);
    });

    it('suspends the campaign whose sender was disabled', async () => {
      const { fence } = await enter();
      await world.disableSender();
      expect(await open(fence)).toEqual({ kind: 'suspend', cause: 'sender_disabled' });
    });
  });
}
