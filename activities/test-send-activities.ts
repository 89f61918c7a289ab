import { heartbeat, Context } from '@temporalio/activity';
import { type Db, withAccount } from '../db/database.ts';
import { type ClaimedTest, claimTest } from '../db/test-sends/claim-test.ts';
import { recordTest, type TestResult } from '../db/test-sends/record-test.ts';
import type { AtOnce } from '../domain/dispatch/at-once.ts';
import type { CrashHook } from '../domain/dispatch/crash-points.ts';
import type { MachineClock } from '../domain/dispatch/machine-clock.ts';
import type { PostAnswer } from '../domain/dispatch/post-lease.ts';
import type { Slots } from '../domain/dispatch/slots.ts';
import { campaignClock } from './campaign-clock.ts';
import type { DispatchWatch } from './dispatch-watch.ts';

/** What test sends need. */
export interface TestSendDeps {
  readonly db: Db;
  readonly crash: CrashHook;
  readonly machine: MachineClock;
  /** The worker's request slots, which tests share with campaigns. */
  readonly slots: Slots;
  readonly atOnce: AtOnce;
  readonly permission: DispatchWatch['permission'];
  /** One POST at most: never retries. */
  readonly post: (test: ClaimedTest) => Promise<PostAnswer>;
  readonly allowVirtualTime: boolean;
}

/** Ids, an instant of campaign time, and the clock to follow. */
export interface TestSendInput {
  readonly accountId: string;
  readonly testId: string;
  readonly at: number;
  readonly time: 'real' | 'virtual';
}

const HEARTBEAT_MS = 3_000;

/** The activity that sends one message on trial. It may be tried again: only the first that claims the row posts. */
export function createTestSendActivities(deps: TestSendDeps) {
  return {
    sendTest: async (input: TestSendInput): Promise<{ state: string }> => {
      if (input.time === 'virtual' && !deps.allowVirtualTime) {
        throw new Error('Virtual time is allowed with the sandbox carrier only; set CARRIER=sandbox.');
      }
      const campaignNow = campaignClock(input);
      const beat = setInterval(() => heartbeat(), HEARTBEAT_MS);
      await deps.slots.take(1);
      try {
        const askedAt = deps.machine.now();
        const claim = await withAccount(deps.db, input.accountId, (trx) =>
          claimTest(trx, { testId: input.testId, at: campaignNow() }),
        );
        if (claim.kind === 'over') return { state: 'over' };
        const { test } = claim;
        await deps.machine.sleep(test.delayMs, Context.current().cancellationSignal);
        const result = await postWithRoom(deps, test, askedAt, campaignNow);
        await withAccount(deps.db, input.accountId, (trx) => recordTest(trx, test, result));
        return { state: result.state };
      } finally {
        deps.slots.giveBack(1);
        clearInterval(beat);
      }
    },
  };
}

/** The activity as workflows see it. */
export type TestSendActivities = ReturnType<typeof createTestSendActivities>;

async function postWithRoom(
  deps: TestSendDeps,
  test: ClaimedTest,
  askedAt: number,
  campaignNow: () => number,
): Promise<TestResult> {
  const hasRoom = await deps.atOnce.take(test.carrierAccountId, Context.current().cancellationSignal);
  try {
    return lastRefusal(deps, test, askedAt, campaignNow()) ?? (await postOnce(deps, test));
  } finally {
    if (hasRoom) deps.atOnce.giveBack(test.carrierAccountId);
  }
}

/** How much later than it was granted a test goes out at most, in machine time. */
const LATE_MS_MAX = 20_000;

/** The last look before the bytes go out. */
function lastRefusal(deps: TestSendDeps, test: ClaimedTest, askedAt: number, now: number): TestResult | null {
  const refused = (cause: string): TestResult => ({ state: 'refused', cause, carrierUuid: null });
  if (Context.current().cancellationSignal.aborted) return refused('cancelled');
  // Room was long in coming: what was granted is others' now, and an opt-out of meanwhile may be forgotten again.
  if (deps.machine.now() - askedAt - test.delayMs > LATE_MS_MAX) return refused('too_late');
  if (test.closesAt !== null && now >= test.closesAt) return refused('quiet_hours');
  const permission = deps.permission(test, test, askedAt);
  return permission === 'open' ? null : refused(permission);
}

async function postOnce(deps: TestSendDeps, test: ClaimedTest): Promise<TestResult> {
  deps.crash('post.before');
  const answer = await deps.post(test);
  deps.crash('post.answered');
  switch (answer.kind) {
    case 'accepted':
      return answer.invalidNumbers.includes(test.to)
        ? { state: 'rejected', cause: 'invalid_number', carrierUuid: null }
        : { state: 'accepted', cause: null, carrierUuid: answer.uuids[0] ?? null };
    case 'rejected':
      return { state: 'rejected', cause: `http_${answer.httpStatus}`, carrierUuid: null };
    case 'not_accepted':
      return { state: 'refused', cause: answer.cause, carrierUuid: null };
    case 'unknown':
      return { state: 'unknown', cause: answer.cause, carrierUuid: null };
  }
}
