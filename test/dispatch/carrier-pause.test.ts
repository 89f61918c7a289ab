import { expect, test } from 'vitest';
import { runLane } from '../../domain/dispatch/lane.ts';
import { CARRIER_ACCOUNT } from '../../domain/dispatch/memory-ledger.ts';
import { createWatchMemory } from '../../domain/dispatch/watch-memory.ts';
import { createLaneWorld, MINUTE_MS, MORNING } from './lane-world.ts';

const PAUSE_MS = 3_000;

test("what a lane has leased when the carrier asks somebody else's lane for a pause goes out after it, to everybody once", async () => {
  const { deps, ref, ledger, clock, script, accepted, numbers } = createLaneWorld(6, false, 2);
  const watch = createWatchMemory(clock.now);
  watch.connecting();
  watch.connected([]);
  const postedAt: number[] = [];
  script.answer = () => {
    postedAt.push(clock.now());
    if (postedAt.length === 2) {
      ledger.carrier.pausedUntil = clock.now() + PAUSE_MS;
      watch.carrierPaused(CARRIER_ACCOUNT, PAUSE_MS);
    }
    return { kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] };
  };
  await runLane(
    { ...deps, permission: watch.permission },
    {
      lane: ref,
      askedAt: MORNING,
      campaignNow: () => MORNING + clock.now(),
      budgetMs: MINUTE_MS,
      signal: new AbortController().signal,
      draining: new AbortController().signal,
    },
  );
  const [, pausedAt = 0, next = 0] = postedAt;
  expect(next - pausedAt).toBeGreaterThanOrEqual(PAUSE_MS);
  expect(accepted.toSorted()).toEqual([...numbers]);
});
