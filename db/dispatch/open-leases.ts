import type { CrashHook } from '../../domain/dispatch/crash-points.ts';
import type { LaneRef, Lease, LeaseAnswer, LeaseRefusal } from '../../domain/dispatch/dispatch-store.ts';
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
} from './lease-draft.ts';
import { insertLeases, leaveOut, sumsOf, writeSkips } from './lease-rows.ts';

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
): Promise<LeaseRefusal | null> {
  for (const stage of stages) {
    const judges = await askedTogether(stage.map((claim) => claim(trx, draft)));
    const refusal = await firstRefusal(judges, draft);
    if (refusal !== null) return refusal;
  }
  return null;
}

async function firstRefusal(judges: readonly Judge[], draft: LeaseDraft): Promise<LeaseRefusal | null> {
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
  const lastOrdinal = lastOrdinalOf(wave, [...people, ...skips]);
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

/** The last of the range. Whoever is missing in it would be forgotten, or all be handed out again, so that is an Error. */
function lastOrdinalOf(
  wave: NonNullable<LeaseDraft['wave']>,
  range: readonly { readonly ordinal: number }[],
): number {
  const last = range.reduce((latest, { ordinal }) => Math.max(latest, ordinal), -1);
  const size = last - wave.nextOrdinal + 1;
  if (range.length === 0 || range.length !== size) {
    throw new Error(`Of wave ${wave.id} ${range.length} were found from ${wave.nextOrdinal} to ${last}.`);
  }
  return last;
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
