import { describe, expect, it, vi } from 'vitest';
import { machineClock } from '../../activities/machine-clock.ts';
import { ACCEPTED, createLaneWorld, eventLoopTurns, RATE_LIMITED } from './lane-world.ts';

describe('a lane', () => {
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
    const { unknown } = await lane.store.enterLane(lane.ref, 0);
    expect(unknown).toBe(10);
    expect((await lane.run()).end.kind).toBe('exhausted');
    expect(new Set(lane.accepted).size).toBe(lane.accepted.length);
    expect(lane.accepted).toHaveLength(40);
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
    while (leases < 2) await eventLoopTurns(1);
    await eventLoopTurns(50);
    expect(error, 'while requests are under way').toBeNull();
    const posted = lane.requests.length;
    for (const answer of answers) answer();
    await ended;
    expect(error).toEqual(new Error('No connection.'));
    expect(lane.requests).toHaveLength(posted);
    const { unknown } = await lane.store.enterLane(lane.ref, 0);
    expect(unknown, 'all that it had leased is written down').toBe(0);
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

  it('that cannot slow its sender down ends by itself, not its worker, and still writes what it knows', async () => {
    const lane = createLaneWorld(8, false, 4);
    const sleep = lane.clock.sleep.bind(lane.clock);
    const slowDown = (): Promise<void> => Promise.reject(new Error('The database is away.'));
    // The event loop turns between two requests of the lease, which is when Node looks for errors nobody handles.
    const machine = {
      ...lane.clock,
      sleep: async (ms: number, signal: AbortSignal) => {
        await eventLoopTurns(1);
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
