import { beforeEach, describe, expect, it } from 'vitest';
import { MESSAGE_STATUSES, type MessageStatus } from '../../domain/campaign-status.ts';
import { FAILURES_MIN, PROBE_DELAY_MS } from '../../domain/dispatch/circuit.ts';
import type { AttemptResult, DispatchStore, LaneRef, Lease } from '../../domain/dispatch/dispatch-store.ts';
import { LEASE_AGE_MS_MAX, LEASE_WIDTH_MAX } from '../../domain/dispatch/pace.ts';
import { STRAGGLING_MS_MAX } from '../../domain/dispatch/stragglers.ts';
import { leasedPeople, onlyLease } from './only-lease.ts';

/** The world around one message of a fresh campaign, as the contract's tests steer and read it. */
export interface StoreHarness {
  readonly store: DispatchStore;
  readonly lane: (lane: number) => LaneRef;
  /** Noon in the account's zone: outside quiet hours. */
  readonly noon: number;
  readonly closeGate: (
    scope: 'installation' | 'account' | 'campaign' | 'message' | 'sender',
  ) => Promise<void>;
  readonly openGate: (scope: 'installation' | 'account' | 'campaign' | 'message' | 'sender') => Promise<void>;
  /** Of the message, which is being sent at first. */
  readonly setStatus: (status: MessageStatus) => Promise<void>;
  readonly suppress: (recipient: number) => Promise<void>;
  /** Gives a recipient a name with which a personalised text to him has three segments. */
  readonly lengthen: (recipient: number) => Promise<void>;
  readonly setExpiry: (at: number) => Promise<void>;
  readonly setSpendLimit: (texts: number) => Promise<void>;
  /** Null takes the campaign's budget away. */
  readonly setBudget: (texts: number | null) => Promise<void>;
  readonly disableSender: () => Promise<void>;
  /** What the sender may send in a day together with others. */
  readonly setDayCap: (units: number) => Promise<void>;
  /** So many requests have failed one after the other. */
  readonly noteFailures: (failures: number) => Promise<void>;
  readonly noteTaken: () => Promise<void>;
  /** The latest result of a recipient's attempt n, resolved unknowns as `accepted`. */
  readonly resultOf: (recipient: number, attempt: number) => Promise<string | null>;
  /** A status report of the carrier about the post of a lease; resolves with what became of it. */
  readonly report: (
    lease: Lease,
    recipient: number,
    status: 'sent' | 'delivered' | 'undelivered' | 'failed',
    uuid?: string,
  ) => Promise<string>;
  readonly skipOf: (recipient: number) => Promise<string | null>;
  /** How many texts somebody who holds the scope now is told may still be on their way. */
  readonly inFlight: (scope: 'account' | 'campaign' | 'message' | 'sender') => Promise<number>;
  /** Lets so much machine time pass for whoever was lost. */
  readonly letPass: (ms: number) => Promise<void>;
  /** How many texts of one segment the account has been charged for. */
  readonly textsSpent: () => Promise<number>;
}

const SCOPES = ['installation', 'account', 'campaign', 'message', 'sender'] as const;
const HOUR_MS = 3_600_000;

/** The contract of every `DispatchStore`. `recipients` are numbered from 1; `isConstant`: all get the same text. */
export function describeDispatchStore(
  name: string,
  make: (recipients: number, isConstant: boolean) => Promise<StoreHarness>,
): void {
  describe(`the dispatch store in ${name}`, () => {
    const recipients = 300;
    let world: StoreHarness;
    beforeEach(async () => {
      world = await make(recipients, false);
    });

    const enter = (lane = 0) => world.store.enterLane(world.lane(lane));
    const open = (fence: number, at = world.noon, lane = 0, slots = 50) =>
      world.store.openLeases(world.lane(lane), fence, at, slots);
    const results = (lease: Lease, result: AttemptResult['result']): AttemptResult[] =>
      lease.recipients.map((person, request) => ({
        recipient: person.recipient,
        attempt: person.attempt,
        request,
        result,
        cause: null,
        carrierUuid: result === 'accepted' ? `uuid-${person.recipient}` : null,
        segments: person.segments,
        costMicroUsd: person.costMicroUsd,
      }));
    const drain = async (fence: number, at: number): Promise<number[]> => {
      const texted: number[] = [];
      for (;;) {
        const answer = await open(fence, at);
        if (answer.kind === 'skipped') continue;
        if (answer.kind !== 'leased') return texted;
        texted.push(...leasedPeople(answer).map((person) => person.recipient));
        for (const lease of answer.leases) await world.store.record(lease, results(lease, 'accepted'), at);
      }
    };

    it('hands every recipient out exactly once', async () => {
      const { fence } = await enter();
      const texted = await drain(fence, world.noon);
      expect(texted.toSorted((one, other) => one - other)).toEqual(
        Array.from({ length: recipients }, (_, index) => index + 1),
      );
      expect(await open(fence)).toEqual({ kind: 'exhausted', nextDueAt: null });
    });

    it('opens several leases at once where everybody gets the same text, each a request of its own and no wider than one', async () => {
      world = await make(recipients, true);
      await world.suppress(LEASE_WIDTH_MAX + 1);
      const { fence } = await enter();
      const answer = await open(fence, world.noon, 0, 50);
      if (answer.kind !== 'leased') throw new Error(`Expected leases, got ${answer.kind}.`);
      const { leases } = answer;
      expect(leases.map((lease) => lease.recipients.length)).toEqual([
        LEASE_WIDTH_MAX,
        LEASE_WIDTH_MAX,
        recipients - 1 - 2 * LEASE_WIDTH_MAX,
      ]);
      expect(leases.every((lease) => lease.isBulk)).toBe(true);
      expect(new Set(leasedPeople(answer).map((person) => person.recipient)).size).toBe(recipients - 1);
      expect(await world.textsSpent()).toBe(recipients - 1);
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
      world = await make(recipients, true);
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

    it('leases no more recipients than requests can start', async () => {
      const { fence } = await enter();
      expect(onlyLease(await open(fence, world.noon, 0, 7)).recipients).toHaveLength(7);
    });

    it('marks whom a dead worker left open as unknown and never hands them out again', async () => {
      const first = await enter();
      const lease = onlyLease(await open(first.fence));
      await world.store.record(lease, results(lease, 'accepted').slice(0, 10), world.noon);
      const second = await enter();
      expect(second.unknown).toBe(lease.recipients.length - 10);
      const texted = await drain(second.fence, world.noon);
      expect(texted).toHaveLength(recipients - lease.recipients.length);
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

    it('refuses a zombie a lease once a newer run has its lane', async () => {
      const zombie = await enter();
      await enter();
      expect(await open(zombie.fence)).toEqual({ kind: 'fenced' });
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
      world = await make(recipients, true);
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
