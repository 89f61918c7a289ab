import { afterEach, describe, expect, it, vi } from 'vitest';
import { machineClock } from '../../activities/machine-clock.ts';
import type { AtOnce } from '../../domain/dispatch/at-once.ts';
import { type LaneDeps, runLane } from '../../domain/dispatch/lane.ts';
import { addCampaign, addMessage, freezeMemoryAudience } from '../../domain/dispatch/memory-ledger.ts';
import { createMemoryDispatchStore } from '../../domain/dispatch/memory-store.ts';
import { ACCEPTED, createLaneWorld, MINUTE_MS, MORNING } from './lane-world.ts';
import { createMemoryCampaign } from './memory-campaign.ts';

/** Room at a carrier that comes when this is done. */
function roomAfter(isDone: () => void): AtOnce {
  return {
    take: () => {
      isDone();
      return Promise.resolve(true);
    },
    giveBack: () => undefined,
  };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a paced lane', () => {
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

  it.each([2, 5])('shares its sender fairly with the lanes of other campaigns, %i of them', async (count) => {
    vi.useFakeTimers();
    const lane = createLaneWorld(1, false, 20, 1_000);
    const { ledger } = createMemoryCampaign({
      recipients: 1_500,
      segmentMicroUsd: 1,
      pace: 20,
      machineNow: machineClock.now,
    });
    const contacts = [...(ledger.campaigns.get('cmp')?.contacts ?? [])];
    const others = Array.from({ length: count - 1 }, (_, index) => `${index + 2}`);
    for (const id of others) {
      addCampaign(ledger, { id: `cmp${id}`, senderId: 'sender', contacts });
      addMessage(ledger, {
        id: `msg${id}`,
        campaignId: `cmp${id}`,
        isConstant: false,
        segments: 1,
        expiresAt: null,
        expiresAfterMs: null,
      });
      freezeMemoryAudience(ledger, `cmp${id}`);
    }
    const posted = new Map<number, number>();
    const ending = new AbortController();
    const deps: LaneDeps = {
      ...lane.deps,
      store: createMemoryDispatchStore(ledger),
      machine: machineClock,
      post: async ({ messageKey }) => {
        posted.set(messageKey, (posted.get(messageKey) ?? 0) + 1);
        return ACCEPTED;
      },
    };
    const running = ['', ...others].map((id) =>
      runLane(deps, {
        lane: { accountId: 'acc', campaignId: `cmp${id}`, messageId: `msg${id}`, lane: 0 },
        askedAt: MORNING,
        campaignNow: () => MORNING,
        budgetMs: 10 * MINUTE_MS,
        signal: ending.signal,
        draining: new AbortController().signal,
      }),
    );
    await vi.advanceTimersByTimeAsync(60_000);
    ending.abort();
    await vi.advanceTimersByTimeAsync(10_000);
    await Promise.all(running);
    const shares = [...posted.values()];
    expect(shares).toHaveLength(count);
    // None is ahead of another by more than the two seconds of pace that a lease holds.
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(40);
    // Nothing of the pace is lost to taking turns.
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThanOrEqual(60 * 20 - 10);
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
      atOnce: roomAfter(() => {
        // The carrier has kept all room for five seconds when the second is due.
        if (postedAt.length === 1 && granted.length === 0) lane.clock.advance(5_000);
      }),
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
      atOnce: roomAfter(() => {
        if (failures === 0) lane.clock.advance(1_000);
      }),
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
});
