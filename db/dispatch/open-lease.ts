import { sql } from 'kysely';
import type { CrashHook } from '../../domain/dispatch/crash-points.ts';
import type { LaneRef, Lease, LeaseAnswer } from '../../domain/dispatch/dispatch-store.ts';
import { LEASE_WIDTH_MAX } from '../../domain/dispatch/pace.ts';
import { isConstant } from '../../domain/template.ts';
import { askedTogether } from '../asked-together.ts';
import { type Db, type Trx, withLedger } from '../database.ts';
import type { Closing } from '../pipelined-driver.ts';
import { prepareQuery } from '../prepared-query.ts';
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
    pauseMs: 0,
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
  const { context, lane, wave } = draft;
  if (wave === null) return { kind: 'exhausted', nextDueAt: null };
  const lastOrdinal = Math.max(...[...draft.people, ...draft.skips].map((one) => one.ordinal));
  const leave = (): Promise<unknown> =>
    wave.repeats ? leaveOut(trx, draft, wave) : writeSkips(trx, draft, wave.number);
  deps.crash('lease.before_commit');
  if (draft.people.length === 0) {
    await closing(() => askedTogether([moveOn(trx, { id: wave.id, nextOrdinal: lastOrdinal + 1 }), leave()]));
    return { kind: 'skipped', count: draft.skips.length };
  }
  const costMicroUsd = draft.people.reduce((sum, person) => sum + person.costMicroUsd, 0);
  const segments = draft.people.reduce((sum, person) => sum + person.segments, 0);
  const [[row], grants] = await closing(() =>
    askedTogether([
      insertLease(trx, {
        month: context.month,
        accountId: lane.accountId,
        campaignKey: context.campaignKey,
        messageKey: context.messageKey,
        waveId: wave.id,
        ordinalFirst: wave.nextOrdinal,
        ordinalLast: lastOrdinal,
        lane: lane.lane,
        fence: draft.fence,
        senderId: context.sender.id,
        width: draft.people.length,
        segments,
        costMicroUsd,
        spendMonth: draft.spendMonth,
      }),
      takeGrants(trx, draft, segments),
      moveOn(trx, { id: wave.id, nextOrdinal: lastOrdinal + 1 }),
      leave(),
      countSpend(trx, draft, costMicroUsd),
      showLeased(trx, draft),
    ]),
  );
  if (row === undefined) throw new Error('A lease that was written has no id.');
  return { kind: 'leased', lease: leaseOf(deps, draft, row.id, grants) };
}

/** What the lease uses of everything that is shared, in the order in which everybody locks it: the hottest comes last. */
async function takeGrants(trx: Trx, draft: LeaseDraft, segments: number): Promise<LeaseGrants> {
  const { pauseMs } = draft;
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
    startDelayMs: Math.max(pauseMs, quotas.delayMs, requests.delayMs, pace.delayMs),
    quotaClaims: quotas.claims,
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

interface NewLease {
  readonly month: string;
  readonly accountId: string;
  readonly campaignKey: number;
  readonly messageKey: number;
  readonly waveId: number;
  readonly ordinalFirst: number;
  readonly ordinalLast: number;
  readonly lane: number;
  readonly fence: number;
  readonly senderId: string;
  readonly width: number;
  readonly segments: number;
  readonly costMicroUsd: number;
  readonly spendMonth: string;
}

const insertLease = prepareQuery((db, one: NewLease) =>
  sql<{ id: number }>`
    insert into leases (month, account_id, campaign_key, message_key, wave_id, ordinal_first, ordinal_last, lane,
      fence, sender_id, width, segments, cost_micro_usd, spend_month)
    values (${one.month}, ${one.accountId}, ${one.campaignKey}, ${one.messageKey}, ${one.waveId}, ${one.ordinalFirst},
      ${one.ordinalLast}, ${one.lane}, ${one.fence}, ${one.senderId}, ${one.width}, ${one.segments},
      ${one.costMicroUsd}, ${one.spendMonth})
    returning id`.compile(db),
);

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
