import { sql } from 'kysely';
import type { CrashHook } from '../../domain/dispatch/crash-points.ts';
import type { LaneRef, Lease, LeaseAnswer } from '../../domain/dispatch/dispatch-store.ts';
import { cutIntoLeases, inTurn, isBulk } from '../../domain/dispatch/lease-parts.ts';
import { widthOfSlots } from '../../domain/dispatch/pace.ts';
import { isConstant } from '../../domain/template.ts';
import { askedTogether } from '../asked-together.ts';
import { type Db, type Trx, withLedger } from '../database.ts';
import type { Closing } from '../pipelined-driver.ts';
import { prepareQuery } from '../prepared-query.ts';
import { countSpend } from './claim-money.ts';
import { takeQuotas } from './claim-quotas.ts';
import { CLAIMS, scopesOf } from './claims.ts';
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

type Person = LeaseDraft['people'][number];

/** What the leases were granted of what is shared. */
interface LeaseGrants extends Pick<
  Lease,
  'segmentIntervalMs' | 'requestIntervalMs' | 'startDelayMs' | 'quotaClaims'
> {
  /** Machine time at which they were granted. */
  readonly grantedAt: number;
}

/** What opening a lease needs besides the database. */
export interface OpenLeasesDeps {
  readonly db: Db;
  readonly crash: CrashHook;
  /** Where the carrier fetches a picture, by its token. */
  readonly mediaUrl: (token: string) => string;
}

/**
 * Passes all claims in one transaction and commits leases, or says why not. What does not need one another's answers
 * is asked together: other lanes of the message wait meanwhile, and each answer waits for a worker that posts.
 */
export async function openLeases(
  deps: OpenLeasesDeps,
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
      return refusal ?? commitLeases(trx, closing, deps, draft);
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
    width: widthOfSlots(slots, isConstant(context.template)),
    wave: null,
    people: [],
    skips: [],
    isProbe: false,
    pauseMs: 0,
    closesAt: null,
    spendMonth: '',
    quotaUses: [],
  };
}

async function commitLeases(
  trx: Trx,
  closing: Closing,
  deps: OpenLeasesDeps,
  draft: LeaseDraft,
): Promise<LeaseAnswer> {
  const { wave, people, skips } = draft;
  if (wave === null) return { kind: 'exhausted', nextDueAt: null };
  const lastOrdinal = Math.max(people.at(-1)?.ordinal ?? 0, skips.at(-1)?.ordinal ?? 0);
  const leave = (): Promise<unknown> =>
    wave.repeats ? leaveOut(trx, draft, wave) : writeSkips(trx, draft, wave.number);
  deps.crash('lease.before_commit');
  if (people.length === 0) {
    await closing(() => askedTogether([moveOn(trx, { id: wave.id, nextOrdinal: lastOrdinal + 1 }), leave()]));
    return { kind: 'skipped', count: skips.length };
  }
  const parts = cutIntoLeases(people);
  const { costMicroUsd, segments } = sumsOf(people);
  const [ids, grants] = await closing(() =>
    askedTogether([
      insertLeases(trx, draft, wave, parts, lastOrdinal),
      takeGrants(trx, draft, isBulk(people) ? parts.length : people.length, segments),
      moveOn(trx, { id: wave.id, nextOrdinal: lastOrdinal + 1 }),
      leave(),
      countSpend(trx, draft, costMicroUsd),
      showLeased(trx, draft),
    ]),
  );
  const leases = parts.map((part, index) => leaseOf(deps, draft, ids[index] ?? null, part, grants));
  return { kind: 'leased', leases: inTurn(leases) };
}

function sumsOf(people: readonly Person[]): { readonly costMicroUsd: number; readonly segments: number } {
  return {
    costMicroUsd: people.reduce((sum, person) => sum + person.costMicroUsd, 0),
    segments: people.reduce((sum, person) => sum + person.segments, 0),
  };
}

/** What the lease uses of everything that is shared, in the order in which everybody locks it: the hottest comes last. */
async function takeGrants(
  trx: Trx,
  draft: LeaseDraft,
  requests: number,
  segments: number,
): Promise<LeaseGrants> {
  const { pauseMs } = draft;
  const { sender, kind } = draft.context;
  const units = kind === 'mms' ? draft.people.length : segments;
  const [quotas, limit, pace] = await askedTogether([
    takeQuotas(trx, draft, units),
    grantOfLimit(trx, sender.carrierAccountId, sender.requestLimit, requests),
    grantPace(trx, sender, kind, units),
  ]);
  return {
    segmentIntervalMs: Math.max(quotas.intervalMs, pace.intervalMs),
    requestIntervalMs: limit.intervalMs,
    startDelayMs: Math.max(pauseMs, quotas.delayMs, limit.delayMs, pace.delayMs),
    quotaClaims: quotas.claims,
    grantedAt: performance.now(),
  };
}

/** The next lease of a wave begins here. */
const moveOn = prepareQuery((db, wave: { readonly id: number; readonly nextOrdinal: number }) =>
  db.updateTable('waves').set({ next_ordinal: wave.nextOrdinal }).where('id', '=', wave.id).compile(),
);

async function showLeased(trx: Trx, { context }: LeaseDraft): Promise<void> {
  if (context.everLeased) return;
  await trx
    .updateTable('campaigns')
    .set({ ever_leased: true })
    .where('key', '=', context.campaignKey)
    .where('ever_leased', '=', false)
    .execute();
}

/** The columns of the leases; what differs between them, side by side. */
interface NewLeases {
  readonly month: string;
  readonly accountId: string;
  readonly campaignKey: number;
  readonly messageKey: number;
  readonly waveId: number;
  readonly lane: number;
  readonly fence: number;
  readonly senderId: string;
  readonly spendMonth: string;
  readonly firsts: readonly number[];
  readonly lasts: readonly number[];
  readonly widths: readonly number[];
  readonly segments: readonly number[];
  readonly costs: readonly number[];
}

const askToInsert = prepareQuery((db, rows: NewLeases) =>
  sql<{ id: number }>`
    with made as (
      insert into leases (month, account_id, campaign_key, message_key, wave_id, ordinal_first, ordinal_last, lane,
        fence, sender_id, width, segments, cost_micro_usd, spend_month)
      select ${rows.month}, ${rows.accountId}, ${rows.campaignKey}, ${rows.messageKey}, ${rows.waveId}, x.first,
        x.last, ${rows.lane}, ${rows.fence}, ${rows.senderId}, x.width, x.segments, x.cost, ${rows.spendMonth}
      from unnest(${rows.firsts}::int[], ${rows.lasts}::int[], ${rows.widths}::int[], ${rows.segments}::int[],
                  ${rows.costs}::bigint[]) as x(first, last, width, segments, cost)
      returning id, ordinal_first
    )
    select id from made order by ordinal_first`.compile(db),
);

/** Makes the leases, which divide the whole range among them, and resolves with their ids in the same order. */
async function insertLeases(
  trx: Trx,
  draft: LeaseDraft,
  wave: NonNullable<LeaseDraft['wave']>,
  parts: readonly (readonly Person[])[],
  lastOrdinal: number,
): Promise<readonly number[]> {
  const { context, lane } = draft;
  // Whoever is left out between two leases is in the range of the former one.
  const beginnings = parts.slice(1).map(([first]) => first?.ordinal ?? 0);
  const sums = parts.map(sumsOf);
  const rows = await askToInsert(trx, {
    month: context.month,
    accountId: lane.accountId,
    campaignKey: context.campaignKey,
    messageKey: context.messageKey,
    waveId: wave.id,
    lane: lane.lane,
    fence: draft.fence,
    senderId: context.sender.id,
    spendMonth: draft.spendMonth,
    firsts: [wave.nextOrdinal, ...beginnings],
    lasts: [...beginnings.map((ordinal) => ordinal - 1), lastOrdinal],
    widths: parts.map((part) => part.length),
    segments: sums.map((one) => one.segments),
    costs: sums.map((one) => one.costMicroUsd),
  });
  return rows.map(({ id }) => id);
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

function leaseOf(
  deps: OpenLeasesDeps,
  draft: LeaseDraft,
  id: number | null,
  people: readonly Person[],
  grants: LeaseGrants,
): Lease {
  if (id === null) throw new Error('A lease that was written has no id.');
  const { context, lane } = draft;
  const { grantedAt, startDelayMs, ...granted } = grants;
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
    recipients: people,
    isBulk: isBulk(people),
    isProbe: draft.isProbe,
    isUnlimited:
      context.sender.atOnceMax === 0 && granted.segmentIntervalMs === 0 && granted.requestIntervalMs === 0,
    ...granted,
    // What the commit has taken has passed of it.
    startDelayMs: startDelayMs - (performance.now() - grantedAt),
    closesAt: draft.closesAt,
  };
}
