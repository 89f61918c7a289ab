import { sql } from 'kysely';
import { type CircuitState, judgeCircuit } from '../../domain/dispatch/circuit.ts';
import { INSTALLATION } from '../../domain/hold.ts';
import { leaseWidth, START_DELAY_MS_MAX } from '../../domain/dispatch/pace.ts';
import { claimWindow as claimWindowAt } from '../../domain/dispatch/window-claim.ts';
import { isRegistered } from '../../domain/registration.ts';
import type { Trx } from '../database.ts';
import { claimProbe } from '../circuits.ts';
import { lockOpenGates } from '../gates.ts';
import { claimBudget, claimSpend } from './claim-money.ts';
import { claimQuotas, peekQuotas } from './claim-quotas.ts';
import { claimRange } from './claim-range.ts';
import { grantPace, grantRequests } from './grants.ts';
import type { Claim, LeaseDraft } from './lease-draft.ts';

/**
 * What a lease has to pass, in order. Shared locks come first and the hottest row last, in one order for
 * everybody, so leases never deadlock and hold the hottest row for the shortest time.
 */
export const CLAIMS: readonly Claim[] = [
  claimFence,
  lockCampaignFirst,
  claimGates,
  claimSender,
  claimWindow,
  peekPace,
  peekQuotas,
  claimRange,
  claimBudget,
  claimSpend,
  claimCircuit,
  claimQuotas,
  claimRequests,
  claimPace,
];

async function claimFence(trx: Trx, { context }: LeaseDraft): ReturnType<Claim> {
  const lane = await trx
    .selectFrom('lanes')
    .where('message_key', '=', context.messageKey)
    .where('lane', '=', context.lane.lane)
    .select('fence')
    .forShare()
    .executeTakeFirst();
  return lane?.fence === context.fence ? null : { kind: 'fenced' };
}

/**
 * The first lease writes to the campaign's row. Whoever places a hold locks that row before the gate, so it is locked
 * before the gates here too; the two would wait for each other otherwise.
 */
async function lockCampaignFirst(trx: Trx, { context }: LeaseDraft): ReturnType<Claim> {
  if (context.everLeased) return null;
  await trx
    .selectFrom('campaigns')
    .where('key', '=', context.campaignKey)
    .select('key')
    .forNoKeyUpdate()
    .executeTakeFirst();
  return null;
}

/** Scopes whose gates all have to be open for this message. */
export function scopesOf(draft: LeaseDraft): string[] {
  const { lane, sender } = draft.context;
  return [INSTALLATION, lane.accountId, lane.campaignId, lane.messageId, sender.id];
}

async function claimGates(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  const scopes = scopesOf(draft);
  return (await lockOpenGates(trx, scopes)) ? null : { kind: 'held' };
}

async function claimSender(_trx: Trx, { context, at }: LeaseDraft): ReturnType<Claim> {
  if (context.sender.isDisabled) return { kind: 'suspend', cause: 'sender_disabled' };
  if (!isRegistered(context.sender, at)) return { kind: 'suspend', cause: 'registration_lapsed' };
  return null;
}

/** Quiet hours and expiry. */
async function claimWindow(_trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  const { account, expiresAt } = draft.context;
  const window = claimWindowAt({ ...account, expiresAt }, draft.at);
  if (window.kind !== 'open') return window;
  draft.closesAt = window.closesAt;
  return null;
}

/** Looks at the hot rows without a lock, so that a lane far ahead of its pace costs next to nothing. */
async function peekPace(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  const { sender, kind } = draft.context;
  const peeked = await sql<{ delayMs: number } & CircuitState>`
    select greatest(0, extract(epoch from greatest(
        p.next_free_at, p.slowed_until, c.next_request_at, c.paused_until, clock_timestamp()
      ) - clock_timestamp()) * 1000)::float8 as "delayMs",
      (extract(epoch from clock_timestamp() - x.opened_at) * 1000)::float8 as "openMs",
      coalesce(extract(epoch from greatest(x.probe_after, x.probing_until) - clock_timestamp()) * 1000, 0)::float8
        as "probeInMs",
      coalesce(x.probing_until > clock_timestamp(), false) as "isProbing"
    from sender_paces p, carrier_accounts c left join lateral (
      select min(o.opened_at) as opened_at, max(o.probe_after) as probe_after, max(o.probing_until) as probing_until
      from circuits o where o.scope_id in (${sender.id}, ${sender.carrierAccountId}) and o.opened_at is not null
    ) x on true
    where p.sender_id = ${sender.id} and p.kind = ${kind} and c.id = ${sender.carrierAccountId}`.execute(trx);
  const row = peeked.rows[0];
  if (row === undefined) return { kind: 'suspend', cause: 'sender_disabled' };
  const circuit = judgeCircuit(row);
  if (circuit.kind === 'suspend') return { kind: 'suspend', cause: 'carrier_down' };
  if (circuit.kind === 'wait') return circuit;
  if (row.delayMs > START_DELAY_MS_MAX) return { kind: 'wait', delayMs: Math.ceil(row.delayMs) };
  draft.isProbe = circuit.kind === 'probe';
  draft.width = Math.min(draft.width, draft.isProbe ? 1 : leaseWidth(sender.pace));
  return null;
}

/** One worker at a time may probe. The claims before may have refused, those after never do. */
async function claimCircuit(trx: Trx, { context, isProbe, people }: LeaseDraft): ReturnType<Claim> {
  if (!isProbe || people.length === 0) return null;
  const { sender } = context;
  return (await claimProbe(trx, [sender.id, sender.carrierAccountId]))
    ? null
    : { kind: 'wait', delayMs: START_DELAY_MS_MAX };
}

/** The carrier's limit of requests, over all senders and workers. */
async function claimRequests(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  if (draft.people.length === 0) return null;
  const { carrierAccountId } = draft.context.sender;
  const granted = await grantRequests(trx, carrierAccountId, isBulk(draft) ? 1 : draft.people.length);
  if (granted === null) return null;
  draft.requestIntervalMs = granted.intervalMs;
  draft.startDelayMs = Math.max(draft.startDelayMs, granted.delayMs);
  return null;
}

/** The sender's pace, over all campaigns and workers: the hottest row, so it comes last. */
async function claimPace(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  const { sender, kind } = draft.context;
  if (sender.pace === null || draft.people.length === 0) return null;
  const units = draft.people.reduce((sum, person) => sum + (kind === 'mms' ? 1 : person.segments), 0);
  const granted = await grantPace(trx, { id: sender.id, pace: sender.pace }, kind, units);
  draft.segmentIntervalMs = Math.max(draft.segmentIntervalMs, granted.intervalMs);
  draft.startDelayMs = Math.max(draft.startDelayMs, granted.delayMs);
  return null;
}

/** Everybody in the draft gets the same text, so one request in bulk form carries all. */
export function isBulk(draft: LeaseDraft): boolean {
  const [first, second] = draft.people;
  return (
    first !== undefined && second !== undefined && draft.people.every((person) => person.text === first.text)
  );
}
