import { beforeEach, describe, expect, it } from 'vitest';
import { LEASE_AGE_MS_MAX } from '../../../domain/dispatch/pace.ts';
import { STRAGGLING_MS_MAX } from '../../../domain/dispatch/stragglers.ts';
import { onlyLease } from '../only-lease.ts';
import {
  RECIPIENTS,
  type MakeHarness,
  results,
  startRun,
  type StoreHarness,
  type StoreRun,
} from './store-harness.ts';

/** What a store makes of results, of reports, and of whoever a worker that died has left open. */
export function describeResults(name: string, make: MakeHarness): void {
  describe(`the dispatch store in ${name}: what becomes of an attempt`, () => {
    let world: StoreHarness;
    let enter: StoreRun['enter'];
    let open: StoreRun['open'];
    let drain: StoreRun['drain'];
    beforeEach(async () => {
      ({ world, enter, open, drain } = await startRun(make));
    });

    it('names whom a lost lane may still text, behind every gate of theirs, for as long as it may', async () => {
      const scopes = ['account', 'campaign', 'message', 'sender'] as const;
      const named = () => Promise.all(scopes.map((scope) => world.inFlight(scope)));
      const { fence } = await enter();
      const lease = onlyLease(await open(fence, world.noon, 0, 7));
      await world.store.record(lease, results(lease, 'accepted').slice(0, 2), world.noon);
      expect(await named(), 'those without a result').toEqual([5, 5, 5, 5]);
      expect((await enter()).unknown).toBe(5);
      expect(await named(), 'the lane may live').toEqual([5, 5, 5, 5]);
      const person = lease.recipients.at(-1)?.recipient ?? 0;
      await world.report(lease, person, 'delivered');
      expect(await named(), 'what is proved is not on its way any more').toEqual([4, 4, 4, 4]);
      await world.letPass(LEASE_AGE_MS_MAX);
      expect(await named(), 'a last request may be under way').toEqual([4, 4, 4, 4]);
      await world.letPass(STRAGGLING_MS_MAX - LEASE_AGE_MS_MAX);
      expect(await named()).toEqual([0, 0, 0, 0]);
    });

    it('marks whom a dead worker left open as unknown and never hands them out again', async () => {
      const first = await enter();
      const lease = onlyLease(await open(first.fence));
      await world.store.record(lease, results(lease, 'accepted').slice(0, 10), world.noon);
      const second = await enter();
      expect(second.unknown).toBe(lease.recipients.length - 10);
      const texted = await drain(second.fence, world.noon);
      expect(texted).toHaveLength(RECIPIENTS - lease.recipients.length);
      expect(texted.filter((one) => lease.recipients.some((person) => person.recipient === one))).toEqual([]);
      expect(await world.resultOf(lease.recipients[20]?.recipient ?? 0, 1)).toBe('unknown');
    });

    it('forgets nobody whose lease has results that were written twice, after an answer that was lost', async () => {
      const { fence } = await enter();
      const lease = onlyLease(await open(fence, world.noon, 0, 10));
      const part = results(lease, 'accepted').slice(0, 6);
      await world.store.record(lease, part, world.noon);
      await world.store.record(lease, part, world.noon);
      expect((await enter()).unknown).toBe(4);
      expect(await world.resultOf(lease.recipients[9]?.recipient ?? 0, 1)).toBe('unknown');
    });

    it('believes a zombie that saw its post accepted', async () => {
      const { fence } = await enter();
      const lease = onlyLease(await open(fence));
      await enter();
      await world.store.record(lease, results(lease, 'accepted'), world.noon);
      expect(await world.resultOf(lease.recipients[0]?.recipient ?? 0, 1)).toBe('accepted');
    });

    it('keeps the first result of an attempt', async () => {
      const { fence } = await enter();
      const lease = onlyLease(await open(fence));
      await world.store.record(lease, results(lease, 'rejected'), world.noon);
      await world.store.record(lease, results(lease, 'accepted'), world.noon);
      expect(await world.resultOf(lease.recipients[0]?.recipient ?? 0, 1)).toBe('rejected');
    });

    it('tries again only who was certainly not accepted, and not before it is due', async () => {
      const { fence } = await enter();
      const lease = onlyLease(await open(fence, world.noon, 0, 5));
      const mixed = results(lease, 'not_accepted').map((result, index) =>
        index === 0 ? { ...result, result: 'unknown' as const } : result,
      );
      await world.store.record(lease, mixed, world.noon + 60_000);
      await drain(fence, world.noon);
      expect(await open(fence, world.noon)).toEqual({ kind: 'exhausted', nextDueAt: world.noon + 60_000 });
      const again = onlyLease(await open(fence, world.noon + 60_000));
      expect(again.recipients.map((person) => [person.recipient, person.attempt])).toEqual(
        lease.recipients.slice(1).map((person) => [person.recipient, 2]),
      );
    });

    it('lets a report prove an unknown one accepted, bind one uuid, and tell the first final status only', async () => {
      const { fence } = await enter();
      const lease = onlyLease(await open(fence, world.noon, 0, 3));
      await world.store.record(lease, results(lease, 'unknown'), world.noon);
      const [first = 0, second = 0] = lease.recipients.map((person) => person.recipient);
      expect(await world.report(lease, first, 'delivered')).toBe('applied');
      expect(await world.resultOf(first, 1)).toBe('accepted');
      expect(await world.report(lease, first, 'delivered')).toBe('repeated');
      expect(await world.report(lease, first, 'undelivered')).toBe('repeated');
      expect(await world.report(lease, first, 'sent', 'uuid-of-somebody-else')).toBe('mismatch');
      expect(await world.resultOf(second, 1)).toBe('unknown');
    });

    it('binds whoever was posted in bulk form to the uuid under which he was reported first', async () => {
      ({ world, enter, open } = await startRun(make, true));
      const { fence } = await enter();
      const lease = onlyLease(await open(fence, world.noon, 0, 1));
      const inBulk = results(lease, 'accepted').map((result) => ({ ...result, carrierUuid: null }));
      await world.store.record(lease, inBulk, world.noon);
      const [first = 0, second = 0] = lease.recipients.map((person) => person.recipient);
      expect(await world.report(lease, first, 'sent', 'uuid-one')).toBe('applied');
      expect(await world.report(lease, first, 'delivered', 'uuid-other')).toBe('mismatch');
      expect(await world.report(lease, first, 'failed', 'uuid-other')).toBe('mismatch');
      expect(await world.report(lease, first, 'delivered', 'uuid-one')).toBe('applied');
      expect(await world.report(lease, second, 'delivered', 'uuid-other')).toBe('applied');
      expect(await world.report(lease, second, 'sent', 'uuid-one')).toBe('mismatch');
    });

    it('takes a report that comes before the record, which then changes nothing', async () => {
      const { fence } = await enter();
      const lease = onlyLease(await open(fence, world.noon, 0, 2));
      const [first = 0] = lease.recipients.map((person) => person.recipient);
      expect(await world.report(lease, first, 'sent')).toBe('applied');
      await world.store.record(lease, results(lease, 'unknown'), world.noon);
      expect(await world.resultOf(first, 1)).toBe('accepted');
      expect((await enter()).unknown, 'nobody is left open').toBe(0);
    });

    it('believes no report about somebody whom its lease does not hold, or who was certainly not accepted', async () => {
      const { fence } = await enter();
      const lease = onlyLease(await open(fence, world.noon, 0, 2));
      const other = onlyLease(await open(fence, world.noon, 0, 2));
      const stranger = other.recipients[0]?.recipient ?? 0;
      expect(await world.report(lease, stranger, 'delivered')).toBe('mismatch');
      await world.store.record(other, results(other, 'not_accepted'), world.noon);
      expect(await world.report(other, stranger, 'delivered')).toBe('mismatch');
      expect(await world.resultOf(stranger, 1)).toBe('not_accepted');
    });
  });
}
