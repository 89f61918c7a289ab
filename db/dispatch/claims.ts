import { sql } from 'kysely';
import { type CircuitState, judgeCircuit } from '../../domain/dispatch/circuit.ts';
import { START_DELAY_MS_MAX, waitForPaceMs, widthOfPace } from '../../domain/dispatch/pace.ts';
import type { LaneRef } from '../../domain/dispatch/dispatch-store.ts';
import { claimWindow as claimWindowAt } from '../../domain/dispatch/window-claim.ts';
import { INSTALLATION } from '../../domain/hold.ts';
import { isRegistered } from '../../domain/registration.ts';
import { claimProbe } from '../circuits.ts';
import type { Trx } from '../database.ts';
import { lockGates } from '../gates.ts';
import { prepareQuery } from '../prepared-query.ts';
import { claimBudget, claimSpend } from './claim-money.ts';
import { claimQuotas, peekQuotas } from './claim-quotas.ts';
import { claimRange } from './claim-range.ts';
import { type Claim, type FirstClaim, type LeaseDraft, type LeaseRequest, passes } from './lease-draft.ts';

/**
 * What a lease has to pass, by stages: the claims of one are asked together, in their order. The first stage is asked
 * before the message has been read, so its claims go by the ids of the lane. Shared locks come first and the hottest
 * rows last, in one order for everybody, so leases never wait for each other in a circle, and hold the hottest rows for the shortest time.
 */
export const CLAIMS: {
  readonly first: readonly FirstClaim[];
  readonly later: readonly (readonly Claim[])[];
} = {
  first: [claimFence, lockCampaignFirst, claimGates, claimSender, claimWindow, peekPace, peekQuotas],
  later: [[claimRange], [claimBudget, claimSpend, claimQuotas], [claimCircuit]],
};

const askForFence = prepareQuery((db, { messageId, lane }: LaneRef) =>
  sql<{ fence: number }>`
    select fence from lanes where message_key = (select key from messages where id = ${messageId}) and lane = ${lane}
    for share`.compile(db),
);

async function claimFence(trx: Trx, { lane, fence }: LeaseRequest): ReturnType<FirstClaim> {
  const [found] = await askForFence(trx, lane);
  return () => (found?.fence === fence ? null : { kind: 'fenced' });
}

const lockNeverLeased = prepareQuery((db, { campaignId }: LaneRef) =>
  sql`select from campaigns where id = ${campaignId} and not ever_leased for no key update`.compile(db),
);

/**
 * The first lease writes to the campaign's row. Whoever places a hold locks that row before the gate, so it is locked
 * before the gates here too; the two would wait for each other otherwise.
 */
async function lockCampaignFirst(trx: Trx, { lane }: LeaseRequest): ReturnType<FirstClaim> {
  await lockNeverLeased(trx, lane);
  return passes;
}

/** Scopes whose gates all have to be open for this message. */
export function scopesOf({ lane, context }: LeaseDraft): string[] {
  return [...scopesOfLane(lane), context.sender.id, ...context.centralScopes];
}

function scopesOfLane({ accountId, campaignId, messageId }: LaneRef): string[] {
  return [INSTALLATION, accountId, campaignId, messageId];
}

async function claimGates(trx: Trx, { lane }: LeaseRequest): ReturnType<FirstClaim> {
  const { campaignId, messageId } = lane;
  const open = await lockGates(trx, { scopeIds: scopesOfLane(lane), campaignId, messageId });
  return (draft) => (scopesOf(draft).every((scope) => open.has(scope)) ? null : { kind: 'held' });
}

async function claimSender(): ReturnType<FirstClaim> {
  return (draft) => {
    const { sender } = draft.context;
    if (sender.isDisabled) return { kind: 'suspend', cause: 'sender_disabled' };
    if (!isRegistered(sender, draft.at)) return { kind: 'suspend', cause: 'registration_lapsed' };
    return null;
  };
}

/** Quiet hours and expiry. */
async function claimWindow(): ReturnType<FirstClaim> {
  return (draft) => {
    const { account, expiresAt } = draft.context;
    const window = claimWindowAt({ ...account, expiresAt }, draft.at);
    if (window.kind !== 'open') return window;
    draft.closesAt = window.closesAt;
    return null;
  };
}

const askForPace = prepareQuery((db, { campaignId }: LaneRef) =>
  sql<{ kind: string; delayMs: number } & CircuitState>`
    select p.kind, greatest(0, extract(epoch from greatest(
        p.next_free_at, p.slowed_until, a.next_request_at, a.paused_until, clock_timestamp()
      ) - clock_timestamp()) * 1000)::float8 as "delayMs",
      (extract(epoch from clock_timestamp() - x.opened_at) * 1000)::float8 as "openMs",
      coalesce(extract(epoch from greatest(x.probe_after, x.probing_until) - clock_timestamp()) * 1000, 0)::float8
        as "probeInMs",
      coalesce(x.probing_until > clock_timestamp(), false) as "isProbing"
    from campaigns c join senders s on s.id = c.sender_id join sender_paces p on p.sender_id = s.id
    join carrier_accounts a on a.id = s.carrier_account_id left join lateral (
      select min(o.opened_at) as opened_at, max(o.probe_after) as probe_after, max(o.probing_until) as probing_until
      from circuits o where o.scope_id in (s.id, a.id) and o.opened_at is not null
    ) x on true
    where c.id = ${campaignId}`.compile(db),
);

/** Looks at the hot rows without a lock, so that a lane far ahead of its pace costs next to nothing. */
async function peekPace(trx: Trx, { lane }: LeaseRequest): ReturnType<FirstClaim> {
  const rows = await askForPace(trx, lane);
  return (draft) => {
    const { sender, kind } = draft.context;
    const peeked = rows.find((row) => row.kind === kind);
    if (peeked === undefined) return { kind: 'suspend', cause: 'sender_disabled' };
    const circuit = judgeCircuit(peeked);
    if (circuit.kind === 'suspend') return { kind: 'suspend', cause: 'carrier_down' };
    if (circuit.kind === 'wait') return circuit;
    const waitMs = waitForPaceMs(peeked.delayMs);
    if (waitMs > 0) return { kind: 'wait', delayMs: waitMs };
    draft.isProbe = circuit.kind === 'probe';
    draft.pauseMs = peeked.delayMs;
    draft.width = Math.min(draft.width, draft.isProbe ? 1 : widthOfPace(sender.pace));
    return null;
  };
}

/** One worker at a time may probe. The claims before may have refused, nothing after does. */
async function claimCircuit(trx: Trx, { context, isProbe, people }: LeaseDraft): ReturnType<Claim> {
  if (!isProbe || people.length === 0) return passes;
  const { sender } = context;
  const isMine = await claimProbe(trx, [sender.id, sender.carrierAccountId]);
  return () => (isMine ? null : { kind: 'wait', delayMs: START_DELAY_MS_MAX });
}
