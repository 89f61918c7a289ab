import { beforeEach, describe, expect, it } from 'vitest';
import { MESSAGE_STATUSES } from '../../../domain/campaign-status.ts';
import { NO_FENCE } from '../../../domain/dispatch/dispatch-store.ts';
import { LEASE_WIDTH_MAX } from '../../../domain/dispatch/pace.ts';
import { leasedPeople, onlyLease } from '../only-lease.ts';
import {
  HOUR_MS,
  type MakeHarness,
  RECIPIENTS,
  results,
  startRun,
  type StoreHarness,
  type StoreRun,
} from './store-harness.ts';

const SCOPES = ['installation', 'account', 'campaign', 'message', 'sender'] as const;

/** Whom a store hands out, to which lanes, and when it refuses. */
export function describeLeases(name: string, make: MakeHarness): void {
  describe(`the dispatch store in ${name}: whom a lease may hold`, () => {
    let world: StoreHarness;
    let enter: StoreRun['enter'];
    let open: StoreRun['open'];
    let drain: StoreRun['drain'];
    beforeEach(async () => {
      ({ world, enter, open, drain } = await startRun(make));
    });

    it('hands every recipient out exactly once', async () => {
      const { fence } = await enter();
      const texted = await drain(fence, world.noon);
      expect(texted.toSorted((one, other) => one - other)).toEqual(
        Array.from({ length: RECIPIENTS }, (_, index) => index + 1),
      );
      expect(await open(fence)).toEqual({ kind: 'exhausted', nextDueAt: null });
    });

    it('takes nobody from the lanes of a later plan for an order that a worker carries out long after it was given', async () => {
      const [before, later] = [world.noon, world.noon + 1_000];
      expect(await world.plan(later)).toMatchObject({ kind: 'send' });
      const { fence } = await enter(0, later);
      const lease = onlyLease(await open(fence, later, 0, 2));
      for (const at of [before, later]) expect(await world.plan(at)).toMatchObject({ kind: 'sleep' });
      expect(await enter(0, before)).toEqual({ fence: NO_FENCE, unknown: 0 });
      expect(await open(NO_FENCE, later)).toEqual({ kind: 'fenced' });
      await world.store.record(lease, results(lease, 'accepted'), later);
      expect(onlyLease(await open(fence, later, 0, 2)).recipients).toHaveLength(2);
      for (const { recipient } of lease.recipients) {
        expect(await world.resultOf(recipient, 1)).toBe('accepted');
      }
    });

    it('takes whoever the lanes of a plan have left open for lost when the next one is made', async () => {
      await world.plan(world.noon);
      const { fence } = await enter(0, world.noon);
      const lease = onlyLease(await open(fence, world.noon, 0, 2));
      expect(await world.plan(world.noon + 1)).toMatchObject({ kind: 'send' });
      expect(await open(fence, world.noon + 1)).toEqual({ kind: 'fenced' });
      for (const { recipient } of lease.recipients) {
        expect(await world.resultOf(recipient, 1)).toBe('unknown');
      }
    });

    it('opens several leases at once where everybody gets the same text, each a request of its own and no wider than one', async () => {
      ({ world, enter, open } = await startRun(make, true));
      await world.suppress(LEASE_WIDTH_MAX + 1);
      const { fence } = await enter();
      const answer = await open(fence, world.noon, 0, 50);
      if (answer.kind !== 'leased') throw new Error(`Expected leases, got ${answer.kind}.`);
      const { leases } = answer;
      expect(leases.map((lease) => lease.recipients.length)).toEqual([
        LEASE_WIDTH_MAX,
        LEASE_WIDTH_MAX,
        RECIPIENTS - 1 - 2 * LEASE_WIDTH_MAX,
      ]);
      expect(leases.every((lease) => lease.isBulk)).toBe(true);
      expect(new Set(leasedPeople(answer).map((person) => person.recipient)).size).toBe(RECIPIENTS - 1);
      expect(await world.textsSpent()).toBe(RECIPIENTS - 1);
      expect(await open(fence)).toMatchObject({ kind: 'exhausted' });
      const [recorded, ...lost] = leases;
      if (recorded === undefined) throw new Error('There is no lease.');
      await world.store.record(recorded, results(recorded, 'accepted'), world.noon);
      // The worker dies: whoever the other two hold is unknown, each of them once.
      expect((await enter()).unknown).toBe(lost.reduce((sum, lease) => sum + lease.recipients.length, 0));
      for (const lease of lost) {
        for (const person of lease.recipients)
          expect(await world.resultOf(person.recipient, 1)).toBe('unknown');
      }
    });

    it('opens no more leases of one text than there are slots for their requests', async () => {
      ({ world, enter, open } = await startRun(make, true));
      const { fence } = await enter();
      const answer = await open(fence, world.noon, 0, 2);
      expect(leasedPeople(answer)).toHaveLength(2 * LEASE_WIDTH_MAX);
    });

    it.each(MESSAGE_STATUSES.filter((status) => status !== 'sending'))(
      'hands nobody of a message out that is %s, though all gates are open, and goes on once it is being sent',
      async (status) => {
        const { fence } = await enter();
        const first = onlyLease(await open(fence, world.noon, 0, 5));
        await world.setStatus(status);
        expect(await open(fence)).toEqual({ kind: 'held' });
        const late = await enter(1);
        expect(await open(late.fence, world.noon, 1), 'nor to a lane that comes late').toEqual({
          kind: 'held',
        });
        await world.setStatus('sending');
        const next = onlyLease(await open(fence, world.noon, 0, 5));
        expect(next.recipients[0]?.recipient).toBe((first.recipients.at(-1)?.recipient ?? 0) + 1);
      },
    );

    it('hands nobody out twice to two lanes that ask at once', async () => {
      const fences = [await enter(0), await enter(1)];
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          open(fences[index % 2]?.fence ?? 0, world.noon, index % 2, 20),
        ),
      );
      const people = answers.flatMap((answer) =>
        onlyLease(answer).recipients.map((person) => person.recipient),
      );
      expect(new Set(people).size).toBe(people.length);
    });

    it('leases no more recipients than requests can start', async () => {
      const { fence } = await enter();
      expect(onlyLease(await open(fence, world.noon, 0, 7)).recipients).toHaveLength(7);
    });

    it('refuses a zombie a lease once a newer run has its lane', async () => {
      const zombie = await enter();
      await enter();
      expect(await open(zombie.fence)).toEqual({ kind: 'fenced' });
    });

    it.each(SCOPES)('opens no lease while the gate of the %s is closed', async (scope) => {
      const { fence } = await enter();
      await world.closeGate(scope);
      expect(await open(fence)).toEqual({ kind: 'held' });
      await world.openGate(scope);
      expect((await open(fence)).kind).toBe('leased');
    });

    it('opens no lease in quiet hours and says when they end', async () => {
      const { fence } = await enter();
      const night = world.noon + 9 * HOUR_MS;
      expect(await open(fence, night)).toEqual({ kind: 'closed', opensAt: world.noon + 20 * HOUR_MS });
      expect((await open(fence, world.noon + 20 * HOUR_MS)).kind).toBe('leased');
    });

    it('says until when a lease may be posted', async () => {
      const { fence } = await enter();
      expect(onlyLease(await open(fence)).closesAt).toBe(world.noon + 8 * HOUR_MS);
    });

    it('opens no lease once the message has expired', async () => {
      const { fence } = await enter();
      await world.setExpiry(world.noon);
      expect(await open(fence)).toEqual({ kind: 'expired' });
    });

    it('skips whoever is suppressed, with the reason', async () => {
      const { fence } = await enter();
      await world.suppress(3);
      const texted = await drain(fence, world.noon);
      expect(texted).not.toContain(3);
      expect(await world.skipOf(3)).toBe('opt_out');
    });
  });
}
