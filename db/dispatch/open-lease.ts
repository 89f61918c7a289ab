import { sql } from 'kysely';
import type { CrashHook } from '../../domain/dispatch/crash-points.ts';
import type { LaneRef, Lease, LeaseAnswer } from '../../domain/dispatch/dispatch-store.ts';
import { LEASE_WIDTH_MAX } from '../../domain/dispatch/pace.ts';
import { isConstant } from '../../domain/template.ts';
import { type Db, type Trx, withAccount } from '../database.ts';
import { countSpend } from './claim-money.ts';
import { CLAIMS, isBulk, scopesOf } from './claims.ts';
import { type LeaseContext, type LeaseDraft, readLeaseContext } from './lease-draft.ts';
import { roundCounter } from './repeats.ts';
import { count, type Deltas, writeDeltas } from './rollup.ts';

/** What opening a lease needs besides the database. */
export interface OpenLeaseDeps {
  readonly db: Db;
  readonly crash: CrashHook;
  /** Where the carrier fetches a picture, by its token. */
  readonly mediaUrl: (token: string) => string;
}

/** Passes all claims in one transaction and commits a lease, or says why not. */
export async function openLease(
  deps: OpenLeaseDeps,
  lane: LaneRef,
  fence: number,
  at: number,
  slots: number,
): Promise<LeaseAnswer> {
  return withAccount(deps.db, lane.accountId, async (trx) => {
    const context = await readLeaseContext(trx, lane, fence);
    if (context === null) return { kind: 'held' };
    const draft = newDraft(context, at, slots);
    for (const claim of CLAIMS) {
      const refusal = await claim(trx, draft);
      if (refusal !== null) return refusal;
    }
    return commitLease(trx, deps, draft);
  });
}

function newDraft(context: LeaseContext, at: number, slots: number): LeaseDraft {
  return {
    context,
    at,
    // Who is leased but not posted when a worker dies is unknown, so a lease is no wider than can be posted at
    // once; a bulk request takes one slot whatever its width.
    width: isConstant(context.template) ? LEASE_WIDTH_MAX : Math.min(LEASE_WIDTH_MAX, slots),
    wave: null,
    people: [],
    skips: [],
    isProbe: false,
    closesAt: null,
    spendMonth: '',
    quotaClaims: [],
    segmentIntervalMs: 0,
    requestIntervalMs: 0,
    startDelayMs: 0,
  };
}

async function commitLease(trx: Trx, deps: OpenLeaseDeps, draft: LeaseDraft): Promise<LeaseAnswer> {
  const { context, wave } = draft;
  if (wave === null) return { kind: 'exhausted', nextDueAt: null };
  const lastOrdinal = Math.max(...[...draft.people, ...draft.skips].map((one) => one.ordinal));
  await trx
    .updateTable('waves')
    .set({ next_ordinal: lastOrdinal + 1 })
    .where('id', '=', wave.id)
    .execute();
  if (wave.repeats) await leaveOut(trx, draft, wave);
  else await writeSkips(trx, draft, wave.number);
  if (draft.people.length === 0) return { kind: 'skipped', count: draft.skips.length };

  const costMicroUsd = draft.people.reduce((sum, person) => sum + person.costMicroUsd, 0);
  await countSpend(trx, draft, costMicroUsd);
  if (!context.everLeased) {
    await trx
      .updateTable('campaigns')
      .set({ ever_leased: true })
      .where('key', '=', context.campaignKey)
      .where('ever_leased', '=', false)
      .execute();
  }
  const { id } = await trx
    .insertInto('leases')
    .values({
      month: context.month,
      account_id: context.lane.accountId,
      campaign_key: context.campaignKey,
      message_key: context.messageKey,
      wave_id: wave.id,
      ordinal_first: wave.nextOrdinal,
      ordinal_last: lastOrdinal,
      lane: context.lane.lane,
      fence: context.fence,
      sender_id: context.sender.id,
      width: draft.people.length,
      segments: draft.people.reduce((sum, person) => sum + person.segments, 0),
      cost_micro_usd: costMicroUsd,
      spend_month: draft.spendMonth,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  deps.crash('lease.before_commit');
  return { kind: 'leased', lease: leaseOf(deps, draft, id) };
}

async function writeSkips(trx: Trx, draft: LeaseDraft, waveNumber: number): Promise<void> {
  if (draft.skips.length === 0) return;
  const { lane, messageKey, month } = draft.context;
  await sql`
    insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, reason)
    select ${month}, ${lane.accountId}, ${messageKey}, s.recipient, 0, 'final', 'skipped', s.reason
    from unnest(${draft.skips.map((skip) => skip.recipient)}::int[],
                ${draft.skips.map((skip) => skip.reason)}::text[]) as s(recipient, reason)`.execute(trx);
  const deltas: Deltas = new Map();
  for (const skip of draft.skips) count(deltas, `skipped:${skip.reason}`);
  if (waveNumber > 0) count(deltas, 'left_deferral', draft.skips.length);
  await writeDeltas(trx, lane.accountId, messageKey, deltas);
}

/** Whoever is left out of a wave that repeats stays what he was. */
async function leaveOut(trx: Trx, draft: LeaseDraft, wave: NonNullable<LeaseDraft['wave']>): Promise<void> {
  if (draft.skips.length === 0) return;
  const { lane, messageKey, month } = draft.context;
  await sql`
    update wave_members m set left_out = s.reason
    from unnest(${draft.skips.map((skip) => skip.ordinal)}::int[],
                ${draft.skips.map((skip) => skip.reason)}::text[]) as s(ordinal, reason)
    where m.month = ${month} and m.wave_id = ${wave.id} and m.ordinal = s.ordinal`.execute(trx);
  if (wave.round === null) return;
  const left = roundCounter(wave.round, 'left_out');
  await writeDeltas(trx, lane.accountId, messageKey, new Map([[left, draft.skips.length]]));
}

function leaseOf(deps: OpenLeaseDeps, draft: LeaseDraft, id: number): Lease {
  const { context } = draft;
  return {
    id,
    month: context.month,
    accountId: context.lane.accountId,
    messageKey: context.messageKey,
    lane: context.lane.lane,
    fence: context.fence,
    carrierAccountId: context.sender.carrierAccountId,
    senderId: context.sender.id,
    from: context.sender.address,
    kind: context.kind,
    mediaUrls: context.mediaTokens.map(deps.mediaUrl),
    scopes: scopesOf(draft),
    recipients: draft.people.map(({ ordinal: _ordinal, ...person }) => person),
    quotaClaims: draft.quotaClaims,
    isBulk: isBulk(draft),
    isProbe: draft.isProbe,
    segmentIntervalMs: draft.segmentIntervalMs,
    requestIntervalMs: draft.requestIntervalMs,
    startDelayMs: draft.startDelayMs,
    closesAt: draft.closesAt,
  };
}
