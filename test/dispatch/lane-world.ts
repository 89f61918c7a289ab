import { UNLIMITED } from '../../domain/dispatch/at-once.ts';
import type { LaneDeps, LaneReport } from '../../domain/dispatch/lane.ts';
import { runLane } from '../../domain/dispatch/lane.ts';
import type { MachineClock } from '../../domain/dispatch/machine-clock.ts';
import { createMemoryDispatchStore } from '../../domain/dispatch/memory-store.ts';
import type { PostAnswer } from '../../domain/dispatch/post-lease.ts';
import { createSlots } from '../../domain/dispatch/slots.ts';
import { createMemoryCampaign } from './memory-campaign.ts';

/** Ten in the morning in New York. */
export const MORNING = Date.parse('2026-03-03T10:00:00-05:00');
export const MINUTE_MS = 60_000;

/** What the carrier answers. */
export const ACCEPTED = { kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] } as const;
export const RATE_LIMITED = { kind: 'not_accepted', cause: 'rate_limited', retryAfterMs: 5_000 } as const;

/** Lets whatever can go on without time passing do so for a while. */
export async function eventLoopTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A machine's clock that moves only when somebody sleeps, and at once. */
export function createSkippingClock(): MachineClock & { readonly advance: (ms: number) => void } {
  let elapsedMs = 0;
  return {
    now: () => elapsedMs,
    sleep: async (ms) => {
      elapsedMs += Math.max(0, ms);
      await Promise.resolve();
    },
    advance: (ms) => {
      elapsedMs += ms;
    },
  };
}

/** One message, its ledger in memory and a carrier that the test scripts. */
export function createLaneWorld(
  recipients: number,
  isConstant = false,
  pace: number | null = null,
  slots = 10,
) {
  const clock = createSkippingClock();
  const { ledger, message, numbers } = createMemoryCampaign({
    recipients,
    segmentMicroUsd: 1,
    machineNow: clock.now,
    isConstant,
    pace,
  });
  const store = createMemoryDispatchStore(ledger);
  /** Everybody whom the carrier has accepted, in order. */
  const accepted: string[] = [];
  const requests: (readonly string[])[] = [];
  const script: { answer: (numbers: readonly string[]) => PostAnswer | Promise<PostAnswer> } = {
    answer: () => ACCEPTED,
  };
  const pool = createSlots(slots);
  const deps: LaneDeps = {
    store,
    slots: pool,
    unlimitedSlots: pool,
    atOnce: UNLIMITED,
    machine: clock,
    turn: () => Promise.resolve(),
    crash: () => undefined,
    post: async (_lease, _request, people) => {
      const posted = people.map((person) => person.number);
      requests.push(posted);
      const answer = await script.answer(posted);
      if (answer.kind === 'accepted') accepted.push(...posted);
      return answer;
    },
    // What the store refuses, the look before the post refuses too, as the worker's memory does.
    permission: (_lease, person) => {
      if ([...ledger.gates.values()].some((holds) => holds > 0)) return 'held';
      return ledger.suppressed.has(person.number) ? 'suppressed' : 'open';
    },
  };
  const draining = new AbortController();
  const ref = { accountId: 'acc', campaignId: 'cmp', messageId: 'msg', lane: 0 };
  const run = (campaignNow: () => number = () => MORNING + clock.now()): Promise<LaneReport> =>
    runLane(deps, {
      lane: ref,
      askedAt: MORNING,
      campaignNow,
      budgetMs: 10 * MINUTE_MS,
      signal: new AbortController().signal,
      draining: draining.signal,
    });
  return { ref, ledger, message, numbers, store, deps, clock, script, accepted, requests, draining, run };
}
