import { createMemoryDispatchStore } from '../../domain/dispatch/memory-store.ts';
import { machineClock } from '../../activities/machine-clock.ts';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLaneActivities } from '../../activities/lane-activities.ts';
import { openDatabase, openPool } from '../../db/database.ts';
import { LEASE_WIDTH_MAX } from '../../domain/dispatch/pace.ts';
import { createSlots } from '../../domain/dispatch/slots.ts';
import { createMemoryCampaign } from './memory-campaign.ts';
import { createLaneWorld, MINUTE_MS, MORNING } from './lane-world.ts';
import { leasedPeople } from './only-lease.ts';

const RATE_LIMITED = { kind: 'not_accepted', cause: 'rate_limited', retryAfterMs: 5_000 } as const;
const ACCEPTED = { kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] } as const;

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
      expect((await lane.run()).end).toEqual({ kind: 'suspend', cause });
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

  it('that got room at the carrier late is granted its pace anew, and does not catch up beside others', async () => {
    const lane = createLaneWorld(4, false, 2);
    const postedAt: number[] = [];
    lane.script.answer = () => {
      postedAt.push(lane.clock.now());
      return ACCEPTED;
    };
    const granted: { requests: number; units: number; at: number }[] = [];
    Object.assign(lane.deps, {
      atOnce: {
        take: async () => {
          // The carrier has kept all room for five seconds when the second is due.
          if (postedAt.length === 1 && granted.length === 0) lane.clock.advance(5_000);
          return Promise.resolve(true);
        },
        giveBack: () => undefined,
      },
      store: {
        ...lane.store,
        grantAgain: (...[lease, left]: Parameters<typeof lane.store.grantAgain>) => {
          granted.push({ ...left, at: lane.clock.now() });
          return lane.store.grantAgain(lease, left);
        },
      },
    });
    await lane.run();
    expect(granted).toEqual([{ requests: 3, units: 3, at: 5_500 }]);
    expect(postedAt).toEqual([0, 5_500, 6_000, 6_500]);
  });

  it('posts nothing of what is late while it cannot be granted anew, and forgets nobody', async () => {
    const lane = createLaneWorld(4, false, 2);
    let failures = 0;
    Object.assign(lane.deps, {
      atOnce: {
        take: async () => {
          if (failures === 0) lane.clock.advance(1_000);
          return Promise.resolve(true);
        },
        giveBack: () => undefined,
      },
      store: {
        ...lane.store,
        grantAgain: () => {
          failures += 1;
          return Promise.reject(new Error('The database is away.'));
        },
      },
    });
    const report = await lane.run();
    expect(failures).toBe(1);
    expect(report.tally).toMatchObject({ accepted: 4, not_accepted: 4, unknown: 0 });
    expect(new Set(lane.accepted).size).toBe(4);
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
        for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
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

  it('ends when results could not be written twice over, so that the next run finds whom they left open', async () => {
    const lane = createLaneWorld(40);
    let failures = 0;
    const store = {
      ...lane.store,
      record: (...given: Parameters<typeof lane.store.record>) => {
        if (given[0].id > 1) return lane.store.record(...given);
        failures += 1;
        return Promise.reject(new Error('The database is away.'));
      },
    };
    Object.assign(lane.deps, { store, machine: machineClock });
    await expect(lane.run()).rejects.toThrow('The database is away.');
    expect(failures).toBeGreaterThan(1);
    expect(lane.accepted.length).toBeLessThan(40);
    const { unknown } = await lane.store.enterLane(lane.ref);
    expect(unknown).toBe(10);
    expect((await lane.run()).end.kind).toBe('exhausted');
    expect(new Set(lane.accepted).size).toBe(lane.accepted.length);
    expect(lane.accepted).toHaveLength(40);
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

  it('that fails ends only when what it has under way is written down, and begins nothing more', async () => {
    const lane = createLaneWorld(40, false, 2);
    const answers: (() => void)[] = [];
    lane.script.answer = () =>
      new Promise((resolve) => {
        answers.push(() => resolve(ACCEPTED));
      });
    let leases = 0;
    const store = {
      ...lane.store,
      openLeases: (...asked: Parameters<typeof lane.store.openLeases>) => {
        leases += 1;
        return leases === 1 ? lane.store.openLeases(...asked) : Promise.reject(new Error('No connection.'));
      },
    };
    Object.assign(lane.deps, { store });
    let error: unknown = null;
    const ended = lane.run().catch((thrown: unknown) => {
      error = thrown;
    });
    while (leases < 2) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(error, 'while requests are under way').toBeNull();
    const posted = lane.requests.length;
    for (const answer of answers) answer();
    await ended;
    expect(error).toEqual(new Error('No connection.'));
    expect(lane.requests).toHaveLength(posted);
    const { unknown } = await lane.store.enterLane(lane.ref);
    expect(unknown, 'all that it had leased is written down').toBe(0);
  });

  it('never has more requests under way than there are slots', async () => {
    const lane = createLaneWorld(200);
    let underWay = 0;
    let most = 0;
    lane.script.answer = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return ACCEPTED;
    };
    await lane.run();
    expect(most).toBeLessThanOrEqual(10);
    expect(lane.accepted).toHaveLength(200);
  });

  it('writes what it knows once more after a write failed, and loses nothing', async () => {
    const lane = createLaneWorld(30);
    let writes = 0;
    const store = {
      ...lane.store,
      record: async (...given: Parameters<typeof lane.store.record>) => {
        writes += 1;
        if (writes === 1) throw new Error('The database is away.');
        await lane.store.record(...given);
      },
    };
    Object.assign(lane.deps, { store, machine: machineClock });
    await lane.run();
    expect([...lane.message.entries.values()].map((entry) => entry.attempts[0]?.result)).toEqual(
      Array.from({ length: 30 }, () => 'accepted'),
    );
  });

  it('whose process stood still goes on at its pace and does not catch up in a burst', async () => {
    const lane = createLaneWorld(8, false, 4);
    const times: number[] = [];
    lane.script.answer = () => {
      if (times.length === 2) lane.clock.advance(5_000);
      times.push(lane.clock.now());
      return ACCEPTED;
    };
    await lane.run();
    expect(times).toHaveLength(8);
    // The one that was due, and a quarter of a second's worth, which is one more.
    const gaps = times.slice(5).map((time, index) => time - (times[index + 4] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(250);
  });

  it('that cannot slow its sender down ends by itself, not its worker, and still writes what it knows', async () => {
    const lane = createLaneWorld(8, false, 4);
    const sleep = lane.clock.sleep.bind(lane.clock);
    const slowDown = (): Promise<void> => Promise.reject(new Error('The database is away.'));
    // The event loop turns between two requests of the lease, which is when Node looks for errors nobody handles.
    const machine = {
      ...lane.clock,
      sleep: async (ms: number, signal: AbortSignal) => {
        await new Promise((resolve) => setImmediate(resolve));
        await sleep(ms, signal);
      },
    };
    Object.assign(lane.deps, { store: { ...lane.store, slowDown }, machine });
    lane.script.answer = () => (lane.requests.length === 1 ? RATE_LIMITED : ACCEPTED);
    const unhandled = vi.fn<(reason: unknown) => void>();
    process.on('unhandledRejection', unhandled);
    try {
      await expect(lane.run()).rejects.toThrow('The database is away.');
    } finally {
      process.off('unhandledRejection', unhandled);
    }
    expect(unhandled).not.toHaveBeenCalled();
    const leased = [...lane.message.entries.values()];
    expect(leased.map((entry) => entry.attempts[0]?.result)).toEqual(leased.map(() => 'not_accepted'));
    expect(leased.length).toBeGreaterThan(1);
  });
});

describe('a paced lane', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('keeps its pace although each lease takes a while to get', async () => {
    vi.useFakeTimers();
    const lane = createLaneWorld(200, false, 20, 128);
    const { ledger } = createMemoryCampaign({
      recipients: 200,
      segmentMicroUsd: 1,
      pace: 20,
      machineNow: machineClock.now,
    });
    const opened = createMemoryDispatchStore(ledger);
    const store = {
      ...opened,
      openLeases: async (...asked: Parameters<typeof opened.openLeases>) => {
        await machineClock.sleep(300, new AbortController().signal);
        return opened.openLeases(...asked);
      },
    };
    Object.assign(lane.deps, { store, machine: machineClock });
    const times: number[] = [];
    lane.script.answer = () => {
      times.push(machineClock.now());
      return ACCEPTED;
    };
    const running = lane.run();
    await vi.advanceTimersByTimeAsync(15_000);
    await running;
    expect(times).toHaveLength(200);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(60);
  });
});

describe('the lane activity', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('that was queued at 19:59 and starts at 20:30 sends nothing', async () => {
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
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-03T20:30:00-05:00') });
    const input = { accountId: 'acc', campaignId: 'cmp', messageId: 'msg', lane: 0, time: 'real' } as const;
    const at = Date.parse('2026-03-03T19:59:00-05:00');
    const output = await new MockActivityEnvironment().run(sendLane, { ...input, at });
    expect(output).toMatchObject({ ended: 'closed', accepted: 0 });
    expect(lane.requests).toEqual([]);
    await db.destroy();
  });
});
