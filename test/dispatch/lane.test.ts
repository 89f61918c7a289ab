import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLaneActivities } from '../../activities/lane-activities.ts';
import { openDatabase, openPool } from '../../db/database.ts';
import { waitAfter } from '../../domain/dispatch/lane.ts';
import { LEASE_WIDTH_MAX } from '../../domain/dispatch/pace.ts';
import { createSlots } from '../../domain/dispatch/slots.ts';
import { ACCEPTED, createLaneWorld, eventLoopTurns, MINUTE_MS, MORNING, RATE_LIMITED } from './lane-world.ts';
import { leasedPeople } from './only-lease.ts';

describe('a lane', () => {
  it('texts everybody once and says that nobody is left', async () => {
    const lane = createLaneWorld(95);
    const report = await lane.run();
    expect(report).toMatchObject({ end: { kind: 'exhausted', nextDueAt: null }, tally: { accepted: 95 } });
    expect(new Set(lane.accepted).size).toBe(95);
    expect(lane.accepted).toHaveLength(95);
  });

  it('whose worker is about to stop texts whom it has leased and leases nobody any more', async () => {
    const lane = createLaneWorld(95);
    lane.script.answer = () => {
      lane.draining.abort();
      return ACCEPTED;
    };
    const report = await lane.run();
    expect(report).toMatchObject({ end: { kind: 'budget' }, tally: { accepted: 10, unknown: 0 } });
    expect(lane.accepted).toHaveLength(10);
  });

  it('posts nothing from the instant at which quiet hours begin, also in the middle of a lease', async () => {
    const lane = createLaneWorld(50);
    const evening = Date.parse('2026-03-03T19:59:59-05:00');
    lane.script.answer = () => {
      lane.clock.advance(200);
      return ACCEPTED;
    };
    const report = await lane.run(() => evening + lane.clock.now());
    expect(report.end).toEqual({ kind: 'closed', opensAt: Date.parse('2026-03-04T08:00:00-05:00') });
    expect(lane.accepted.length).toBeGreaterThan(0);
    expect(lane.accepted.length).toBeLessThanOrEqual(5);
    const morning = await lane.run(() => Date.parse('2026-03-04T08:00:00-05:00') + lane.clock.now());
    expect(morning.end.kind).toBe('exhausted');
    expect(new Set(lane.accepted).size).toBe(50);
    expect(lane.accepted).toHaveLength(50);
  });

  it('stops at a gate that closes between lease and post, and the rest is texted once it opens', async () => {
    const lane = createLaneWorld(40);
    lane.script.answer = () => {
      if (lane.requests.length === 4) lane.ledger.gates.set('cmp', 1);
      return ACCEPTED;
    };
    expect((await lane.run()).end).toEqual({ kind: 'held' });
    expect(lane.accepted.length).toBeLessThan(40);
    const before = lane.accepted.length;
    expect((await lane.run()).end).toEqual({ kind: 'held' });
    expect(lane.accepted).toHaveLength(before);
    lane.ledger.gates.set('cmp', 0);
    await lane.run(() => MORNING + MINUTE_MS + lane.clock.now());
    expect(new Set(lane.accepted).size).toBe(40);
    expect(lane.accepted).toHaveLength(40);
  });

  it('does not post to somebody who opts out between lease and post', async () => {
    const lane = createLaneWorld(8, false, null, 1);
    const last = lane.numbers[7] ?? '';
    lane.script.answer = () => {
      lane.ledger.suppressed.set(last, 'opt_out');
      return ACCEPTED;
    };
    await lane.run();
    expect(lane.accepted).not.toContain(last);
    expect(lane.accepted).toHaveLength(7);
    expect(lane.message.entries.get(8)?.skip).toBe('opt_out');
  });

  it('halts its lease at a 429, waits as long as the carrier asks, and nobody is texted twice', async () => {
    const lane = createLaneWorld(60);
    const asked: number[] = [];
    lane.script.answer = () => {
      asked.push(lane.clock.now());
      return asked.length === 3 ? RATE_LIMITED : ACCEPTED;
    };
    const report = await lane.run();
    expect(report.end.kind).toBe('exhausted');
    expect(new Set(lane.accepted).size).toBe(60);
    expect(lane.accepted).toHaveLength(60);
    const resumed = asked.filter((at) => at >= 5_000);
    // Posts that had begun when the answer came are not called back: no more than there are slots.
    expect(asked.length - resumed.length).toBeLessThanOrEqual(3 + 10);
    expect(report.tally.not_accepted).toBeGreaterThan(0);
  });

  it('gives its slot back when the carrier asks for more than ten seconds', async () => {
    const lane = createLaneWorld(5);
    lane.script.answer = () => ({ ...RATE_LIMITED, retryAfterMs: 30_000 });
    const report = await lane.run();
    expect(report.end).toMatchObject({ kind: 'wait' });
    expect(lane.accepted).toEqual([]);
  });

  it.each([
    ['a server error', { kind: 'unknown', cause: 'server_error' }],
    ['a timeout', { kind: 'unknown', cause: 'timeout' }],
    ['an empty answer', { kind: 'unknown', cause: 'empty_answer' }],
    ['a refusal', { kind: 'rejected', httpStatus: 400 }],
  ] as const)('never posts again after %s', async (_name, answer) => {
    const lane = createLaneWorld(12);
    lane.script.answer = () => answer;
    const report = await lane.run();
    expect(report.end).toEqual({ kind: 'exhausted', nextDueAt: null });
    expect(lane.requests.flat()).toHaveLength(12);
    await lane.run(() => MORNING + 60 * MINUTE_MS);
    expect(lane.requests.flat()).toHaveLength(12);
  });

  it.each([['credit'], ['credentials']] as const)(
    'says why the campaign is to be suspended: %s',
    async (cause) => {
      const lane = createLaneWorld(30);
      lane.script.answer = () => ({ kind: 'not_accepted', cause, retryAfterMs: null });
      expect((await lane.run()).end).toMatchObject({ kind: 'suspend', cause });
      expect(lane.requests.length).toBeLessThanOrEqual(10);
    },
  );

  it('maps a bulk request back by number, never by position', async () => {
    const lane = createLaneWorld(20, true);
    const invalid = lane.numbers[0] ?? '';
    lane.script.answer = () => ({ kind: 'accepted', uuids: ['one', 'two'], invalidNumbers: [invalid] });
    await lane.run();
    expect(lane.requests.map((numbers) => numbers.length)).toEqual([20]);
    const results = [...lane.message.entries.values()].map((entry) => entry.attempts[0]);
    expect(results.map((one) => one?.result)).toEqual([
      'rejected',
      ...Array.from({ length: 19 }, () => 'accepted'),
    ]);
    expect(results.map((one) => one?.carrierUuid)).toEqual(Array.from({ length: 20 }, () => null));
  });

  it('never makes a bulk request wider than its lease, and everybody is in one only', async () => {
    const lane = createLaneWorld(300, true);
    await lane.run();
    expect(lane.requests.map((numbers) => numbers.length)).toEqual([
      LEASE_WIDTH_MAX,
      LEASE_WIDTH_MAX,
      300 - 2 * LEASE_WIDTH_MAX,
    ]);
    expect(new Set(lane.requests.flat()).size).toBe(300);
  });

  it('does not post a lease that has grown old, as after a machine that slept', async () => {
    const lane = createLaneWorld(10);
    lane.script.answer = () => {
      if (lane.requests.length === 1) lane.clock.advance(30_000);
      return ACCEPTED;
    };
    const report = await lane.run();
    expect(report.tally.not_accepted).toBeGreaterThan(0);
    expect(new Set(lane.accepted).size).toBe(10);
    expect(lane.accepted).toHaveLength(10);
  });

  it('does not post a lease either whose machine slept with its monotonic clock', async () => {
    const lane = createLaneWorld(10);
    let sleptMs = 0;
    lane.script.answer = () => {
      if (lane.requests.length === 1) sleptMs = 30_000;
      return ACCEPTED;
    };
    const report = await lane.run(() => MORNING + lane.clock.now() + sleptMs);
    expect(report.tally.not_accepted).toBeGreaterThan(0);
    expect(new Set(lane.accepted).size).toBe(10);
    expect(lane.accepted).toHaveLength(10);
  });

  it('asks for no further lease while too many are not written down', async () => {
    const lane = createLaneWorld(600);
    /** How many of each lease are not written down. */
    const open = new Map<number, number>();
    let most = 0;
    const store = {
      ...lane.store,
      openLeases: async (...asked: Parameters<typeof lane.store.openLeases>) => {
        const answer = await lane.store.openLeases(...asked);
        if (answer.kind === 'leased') {
          for (const { id, recipients } of answer.leases) open.set(id, recipients.length);
        }
        most = Math.max(most, open.size);
        return answer;
      },
      record: async (...given: Parameters<typeof lane.store.record>) => {
        await eventLoopTurns(200);
        await lane.store.record(...given);
        const [{ id }, results] = given;
        const left = (open.get(id) ?? 0) - results.length;
        if (left > 0) open.set(id, left);
        else open.delete(id);
      },
    };
    Object.assign(lane.deps, { store });
    await lane.run();
    expect(new Set(lane.accepted).size).toBe(600);
    expect(most).toBe(32);
  });

  it('takes more at once of what nothing limits, as soon as it knows', async () => {
    const widthsOf = async (pace: number | null): Promise<number[]> => {
      const lane = createLaneWorld(60, false, pace);
      const widths: number[] = [];
      const store = {
        ...lane.store,
        openLeases: async (...asked: Parameters<typeof lane.store.openLeases>) => {
          const answer = await lane.store.openLeases(...asked);
          widths.push(leasedPeople(answer).length);
          return answer;
        },
      };
      Object.assign(lane.deps, { store, unlimitedSlots: createSlots(40) });
      await lane.run();
      expect(lane.accepted).toHaveLength(60);
      return widths.filter((width) => width > 0);
    };
    const [first, second] = await widthsOf(null);
    expect([first, second]).toEqual([10, 40]);
    expect(Math.max(...(await widthsOf(1_000)))).toBeLessThanOrEqual(10);
  });

  it('never has more requests under way than there are slots', async () => {
    const lane = createLaneWorld(200);
    let underWay = 0;
    let most = 0;
    lane.script.answer = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await eventLoopTurns(1);
      underWay -= 1;
      return ACCEPTED;
    };
    await lane.run();
    expect(most).toBeLessThanOrEqual(10);
    expect(lane.accepted).toHaveLength(200);
  });
});

describe('the lane activity', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('that was queued at 19:59 and starts at 20:30 sends nothing', async () => {
    const { output, requests } = await runAtClosing({
      orderedAt: '2026-03-03T19:59:00-05:00',
      workerClock: '2026-03-03T20:30:00-05:00',
    });
    expect(output).toMatchObject({ ended: 'closed', accepted: 0 });
    expect(requests).toEqual([]);
  });

  it('whose worker is ahead of the workflow at closing lets the next one wait, and not take turns with the plan', async () => {
    const { output } = await runAtClosing({
      orderedAt: '2026-03-03T19:59:58-05:00',
      workerClock: '2026-03-03T20:00:01-05:00',
    });
    expect(output).toMatchObject({ ended: 'closed', waitMs: 1_000 });
  });

  it('that has texted until its closing lets nothing wait, so that its message sleeps at once', async () => {
    const evening = Date.parse('2026-03-03T19:59:59-05:00');
    const lane = createLaneWorld(50);
    lane.script.answer = () => {
      lane.clock.advance(200);
      return ACCEPTED;
    };
    expect(waitAfter(await lane.run(() => evening + lane.clock.now()))).toBe(0);
  });
});

async function runAtClosing(times: { readonly orderedAt: string; readonly workerClock: string }) {
  const lane = createLaneWorld(10);
  const db = openDatabase(
    openPool({ connectionString: 'postgres://127.0.0.1:1/none', connectionsMax: 1, role: 'carillon_app' }),
  );
  const { sendLane } = createLaneActivities({
    db,
    lane: lane.deps,
    allowVirtualTime: false,
    draining: new AbortController().signal,
    lanesAtOnceMax: 10,
  });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(times.workerClock) });
  const input = { accountId: 'acc', campaignId: 'cmp', messageId: 'msg', lane: 0, time: 'real' } as const;
  const at = Date.parse(times.orderedAt);
  const output = await new MockActivityEnvironment().run(sendLane, { ...input, at });
  await db.destroy();
  return { output, requests: lane.requests };
}
