import { sql } from 'kysely';
import type { CrashHook } from '../../domain/dispatch/crash-points.ts';
import type { LaneRef, Lease, LeaseAnswer } from '../../domain/dispatch/dispatch-store.ts';
import { LEASE_WIDTH_MAX } from '../../domain/dispatch/pace.ts';
import { isConstant } from '../../domain/template.ts';
import { askedTogether } from '../asked-together.ts';
import { type Db, type Trx, withLedger } from '../database.ts';
import type { Closing } from '../pipelined-driver.ts';
import { countSpend } from './claim-money.ts';
import { takeQuotas } from './claim-quotas.ts';
import { CLAIMS, isBulk, scopesOf } from './claims.ts';
import { grantPace, grantOfLimit } from './grants.ts';
import {
  type Claim,
  type Judge,
  type LeaseContext,
  type LeaseDraft,
  type LeaseRequest,
  readLeaseContext,
  type Refusal,
} from './lease-draft.ts';
import { roundCounter } from './repeats.ts';
import { count, type Deltas, writeDeltas } from './rollup.ts';

/** What a lease was granted of what is shared. */
type LeaseGrants = Pick<Lease, 'segmentIntervalMs' | 'requestIntervalMs' | 'startDelayMs' | 'quotaClaims'>;

/** What opening a lease needs besides the database. */
export interface OpenLeaseDeps {
  readonly db: Db;
  readonly crash: CrashHook;
  /** Where the carrier fetches a picture, by its token. */
  readonly mediaUrl: (token: string) => string;
}

/**
 * Passes all claims in one transaction and commits a lease, or says why not. What does not need one another's answers
 * is asked together: other lanes of the message wait meanwhile, and each answer waits for a worker that posts.
 */
export async function openLease(
  deps: OpenLeaseDeps,
  lane: LaneRef,
  fence: number,
  at: number,
  slots: number,
): Promise<LeaseAnswer> {
  return withLedger(
    deps.db,
    lane.accountId,
    async (trx, closing) => {
      const request = { lane, fence, at };
      const [context, ...judges] = await askedTogether([
        readLeaseContext(trx, lane),
        ...CLAIMS.first.map((claim) => claim(trx, request)),
      ]);
      if (context === null) return { kind: 'held' };
      const draft = newDraft(request, context, slots);
      const refusal =
        (await firstRefusal(judges, draft)) ?? (await refusalOfStages(trx, draft, CLAIMS.later));
      return refusal ?? commitLease(trx, closing, deps, draft);
    },
    { releasesEarly: true },
  );
}

async function refusalOfStages(
  trx: Trx,
  draft: LeaseDraft,
  stages: readonly (readonly Claim[])[],
): Promise<Refusal | null> {
  for (const stage of stages) {
    const judges = await askedTogether(stage.map((claim) => claim(trx, draft)));
    const refusal = await firstRefusal(judges, draft);
    if (refusal !== null) return refusal;
  }
  return null;
}

async function firstRefusal(judges: readonly Judge[], draft: LeaseDraft): Promise<Refusal | null> {
  for (const judge of judges) {
    const refusal = await judge(draft);
    if (refusal !== null) return refusal;
  }
  return null;
}

function newDraft(request: LeaseRequest, context: LeaseContext, slots: number): LeaseDraft {
  return {
    ...request,
    context,
    // Who is leased but not posted when a worker dies is unknown, so a lease is no wider than can be posted at
    // once; a bulk request takes one slot whatever its width.
    width: isConstant(context.template) ? LEASE_WIDTH_MAX : Math.min(LEASE_WIDTH_MAX, slots),
    wave: null,
    people: [],
    skips: [],
    isProbe: false,
    closesAt: null,
    spendMonth: '',
    quotaUses: [],
  };
}

async function commitLease(
  trx: Trx,
  closing: Closing,
  deps: OpenLeaseDeps,
  draft: LeaseDraft,
): Promise<LeaseAnswer> {
  const { wave } = draft;
  if (wave === null) return { kind: 'exhausted', nextDueAt: null };
  const lastOrdinal = Math.max(...[...draft.people, ...draft.skips].map((one) => one.ordinal));
  const leave = (): Promise<unknown> =>
    wave.repeats ? leaveOut(trx, draft, wave) : writeSkips(trx, draft, wave.number);
  deps.crash('lease.before_commit');
  if (draft.people.length === 0) {
    await closing(() => askedTogether([moveOn(trx, wave.id, lastOrdinal + 1), leave()]));
    return { kind: 'skipped', count: draft.skips.length };
  }
  const sum = {
    costMicroUsd: draft.people.reduce((cost, person) => cost + person.costMicroUsd, 0),
    segments: draft.people.reduce((segments, person) => segments + person.segments, 0),
  };
  const [id, grants] = await closing(() =>
    askedTogether([
      insertLease(trx, draft, { ...sum, wave, lastOrdinal }),
      takeGrants(trx, draft, sum.segments),
      moveOn(trx, wave.id, lastOrdinal + 1),
      leave(),
      countSpend(trx, draft, sum.costMicroUsd),
      showLeased(trx, draft),
    ]),
  );
  return { kind: 'leased', lease: leaseOf(deps, draft, id, grants) };
}

/** What the lease uses of everything that is shared, in the order in which everybody locks it: the hottest comes last. */
async function takeGrants(trx: Trx, draft: LeaseDraft, segments: number): Promise<LeaseGrants> {
  const { sender, kind } = draft.context;
  const units = kind === 'mms' ? draft.people.length : segments;
  const [quotas, requests, pace] = await askedTogether([
    takeQuotas(trx, draft, units),
    grantOfLimit(trx, sender.carrierAccountId, sender.requestLimit, isBulk(draft) ? 1 : draft.people.length),
    grantPace(trx, sender, kind, units),
  ]);
  return {
    segmentIntervalMs: Math.max(quotas.intervalMs, pace.intervalMs),
    requestIntervalMs: requests.intervalMs,
    startDelayMs: Math.max(quotas.delayMs, requests.delayMs, pace.delayMs),
    quotaClaims: quotas.claims,
  };
}

/** The next lease of a wave begins here. */
async function moveOn(trx: Trx, waveId: number, nextOrdinal: number): Promise<void> {
  await trx.updateTable('waves').set({ next_ordinal: nextOrdinal }).where('id', '=', waveId).execute();
}

async function showLeased(trx: Trx, { context }: LeaseDraft): Promise<void> {
  if (context.everLeased) return;
  await trx
    .updateTable('campaigns')
    .set({ ever_leased: true })
    .where('key', '=', context.campaignKey)
    .where('ever_leased', '=', false)
    .execute();
}

async function insertLease(
  trx: Trx,
  draft: LeaseDraft,
  lease: {
    readonly wave: NonNullable<LeaseDraft['wave']>;
    readonly lastOrdinal: number;
    readonly segments: number;
    readonly costMicroUsd: number;
  },
): Promise<number> {
  const { context, lane } = draft;
  const { id } = await trx
    .insertInto('leases')
    .values({
      month: context.month,
      account_id: lane.accountId,
      campaign_key: context.campaignKey,
      message_key: context.messageKey,
      wave_id: lease.wave.id,
      ordinal_first: lease.wave.nextOrdinal,
      ordinal_last: lease.lastOrdinal,
      lane: lane.lane,
      fence: draft.fence,
      sender_id: context.sender.id,
      width: draft.people.length,
      segments: lease.segments,
      cost_micro_usd: lease.costMicroUsd,
      spend_month: draft.spendMonth,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

async function writeSkips(trx: Trx, draft: LeaseDraft, waveNumber: number): Promise<void> {
  if (draft.skips.length === 0) return;
  const { messageKey, month } = draft.context;
  const { accountId } = draft.lane;
  const deltas: Deltas = new Map();
  for (const skip of draft.skips) count(deltas, `skipped:${skip.reason}`);
  if (waveNumber > 0) count(deltas, 'left_deferral', draft.skips.length);
  await askedTogether([
    sql`
      insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, reason)
      select ${month}, ${accountId}, ${messageKey}, s.recipient, 0, 'final', 'skipped', s.reason
      from unnest(${draft.skips.map((skip) => skip.recipient)}::int[],
                  ${draft.skips.map((skip) => skip.reason)}::text[]) as s(recipient, reason)`.execute(trx),
    writeDeltas(trx, accountId, messageKey, deltas),
  ]);
}

/** Whoever is left out of a wave that repeats stays what he was. */
async function leaveOut(trx: Trx, draft: LeaseDraft, wave: NonNullable<LeaseDraft['wave']>): Promise<void> {
  if (draft.skips.length === 0) return;
  const { messageKey, month } = draft.context;
  const deltas: Deltas = new Map();
  if (wave.round !== null) count(deltas, roundCounter(wave.round, 'left_out'), draft.skips.length);
  await askedTogether([
    sql`
      update wave_members m set left_out = s.reason
      from unnest(${draft.skips.map((skip) => skip.ordinal)}::int[],
                  ${draft.skips.map((skip) => skip.reason)}::text[]) as s(ordinal, reason)
      where m.month = ${month} and m.wave_id = ${wave.id} and m.ordinal = s.ordinal`.execute(trx),
    writeDeltas(trx, draft.lane.accountId, messageKey, deltas),
  ]);
}

function leaseOf(deps: OpenLeaseDeps, draft: LeaseDraft, id: number, grants: LeaseGrants): Lease {
  const { context, lane } = draft;
  return {
    id,
    month: context.month,
    accountId: lane.accountId,
    messageKey: context.messageKey,
    lane: lane.lane,
    fence: draft.fence,
    carrierAccountId: context.sender.carrierAccountId,
    senderId: context.sender.id,
    from: context.sender.address,
    kind: context.kind,
    mediaUrls: context.mediaTokens.map(deps.mediaUrl),
    scopes: scopesOf(draft),
    recipients: draft.people.map(({ ordinal: _ordinal, ...person }) => person),
    isBulk: isBulk(draft),
    isProbe: draft.isProbe,
    ...grants,
    closesAt: draft.closesAt,
  };
}
