import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import type { CampaignStatus } from '../../domain/campaign-status.ts';
import { SETTLE_MS } from '../../domain/schedule.ts';
import { decideSettling } from '../../domain/settling.ts';
import { resolveCampaignAlerts } from '../campaign-alerts.ts';
import type { Trx } from '../database.ts';
import { appendLog } from '../log.ts';
import { mayBeResent } from '../reconcile/unknowns.ts';
import { openEnds } from '../report-counters.ts';
import { forgetRetries, messagesWithRetries } from '../retries.ts';
import type { StepMessage } from './step-messages.ts';
import type { StepInput, StepPlan } from './step-plan.ts';

/** Whoever waits for the carrier's list looks again after so long, should nobody wake him. */
const LOOK_AGAIN_MS = 10 * 60_000;
const SYSTEM: Actor = { id: 'system', via: 'system' };

/**
 * When to look at messages that are over beside others which are not: once their last reports should be there, of which
 * each may say that somebody is tried again. Null where none is awaited.
 */
export async function reportsDueAt(
  trx: Trx,
  { campaignId, at }: StepInput,
  messages: readonly StepMessage[],
): Promise<number | null> {
  const dueAts = new Map(
    messages.flatMap(({ key, status, endedAt }) =>
      status === 'sent' && endedAt !== null ? [[key, endedAt + SETTLE_MS] as const] : [],
    ),
  );
  const ahead = [...dueAts].filter(([, dueAt]) => dueAt > at);
  if (ahead.length === 0) return null;
  const { awaited } = await openEnds(
    trx,
    ahead.map(([key]) => key),
  );
  // Read last: one may have come since this step began, and then only a later one finds whom it is about.
  const isAwaited = awaited > 0 || (await messagesWithRetries(trx, campaignId)).size > 0;
  return isAwaited ? Math.min(...ahead.map(([, dueAt]) => dueAt)) : null;
}

/** What a campaign does whose messages are all over: wait for reports that may come, or finish. */
export async function planSettling(
  trx: Trx,
  { accountId, campaignId, at }: StepInput,
  messages: readonly StepMessage[],
  status: CampaignStatus,
): Promise<Pick<StepPlan, 'kind' | 'status' | 'start' | 'wakeAt' | 'next'>> {
  const keys = messages.map((message) => message.key);
  const { awaited, unknown } = await openEnds(trx, keys);
  const endedAt = Math.max(...messages.map((message) => message.endedAt ?? at));
  const isResent = await mayBeResent(trx, keys);
  // Read last: a report or the list may have said since this step began that somebody is tried again; the next step
  // finds him.
  const isRetried = (await messagesWithRetries(trx, campaignId)).size > 0;
  const settling = decideSettling({ endedAt, awaited, isRetried, isResent }, at);
  if (settling.kind !== 'finish') {
    const { until } = settling;
    const next = { what: 'reports', at: until };
    return settling.kind === 'reports'
      ? { kind: 'settle', status, start: [], wakeAt: until, next }
      : { kind: 'run', status, start: [], wakeAt: Math.min(until, at + LOOK_AGAIN_MS), next };
  }
  await finish(trx, { accountId, campaignId, at }, status, unknown);
  return { kind: 'end', status: 'finished', start: [], wakeAt: null, next: { what: 'nothing', at: null } };
}

async function finish(
  trx: Trx,
  { accountId, campaignId, at }: Pick<StepInput, 'accountId' | 'campaignId' | 'at'>,
  from: CampaignStatus,
  unknown: number,
): Promise<void> {
  await trx
    .updateTable('campaigns')
    .set((set) => ({
      status: 'finished' as const,
      finished_at: new Date(at),
      // A round of a sub-account's own is none of its parent's business.
      detached_at: sql<Date | null>`case when central_id is not null then clock_timestamp() end`,
      version: set('version', '+', 1),
    }))
    .where('id', '=', campaignId)
    .execute();
  await appendLog(trx, {
    accountId,
    campaignId,
    what: 'finish',
    from,
    to: 'finished',
    actor: SYSTEM,
    detail: { unknown },
  });
  await forgetRetries(trx, campaignId);
  await resolveCampaignAlerts(trx, campaignId);
}
