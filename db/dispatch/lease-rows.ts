import { sql } from 'kysely';
import { roundCounter } from '../../domain/dispatch/result-counters.ts';
import { askedTogether } from '../asked-together.ts';
import type { Trx } from '../database.ts';
import { prepareQuery } from '../prepared-query.ts';
import { claimsByOrdinal } from './lease-claims.ts';
import type { LeaseDraft } from './lease-draft.ts';
import { count, type Deltas, writeDeltas } from './rollup.ts';

type Person = LeaseDraft['people'][number];
type Wave = NonNullable<LeaseDraft['wave']>;

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
  readonly segmentsEach: readonly (string | null)[];
  readonly costsEach: readonly (string | null)[];
}

const askToInsert = prepareQuery((db, rows: NewLeases) =>
  sql<{ id: number }>`
    with made as (
      insert into leases (month, account_id, campaign_key, message_key, wave_id, ordinal_first, ordinal_last, lane,
        fence, sender_id, width, segments, cost_micro_usd, segments_each, micro_usd_each, spend_month)
      select ${rows.month}, ${rows.accountId}, ${rows.campaignKey}, ${rows.messageKey}, ${rows.waveId}, x.first,
        x.last, ${rows.lane}, ${rows.fence}, ${rows.senderId}, x.width, x.segments, x.cost, x.segments_each::smallint[],
        x.costs_each::bigint[], ${rows.spendMonth}
      from unnest(${rows.firsts}::int[], ${rows.lasts}::int[], ${rows.widths}::int[], ${rows.segments}::int[],
                  ${rows.costs}::bigint[], ${rows.segmentsEach}::text[], ${rows.costsEach}::text[])
        as x(first, last, width, segments, cost, segments_each, costs_each)
      returning id, ordinal_first
    )
    select id from made order by ordinal_first`.compile(db),
);

/** Makes the leases, which divide the whole range among them, and resolves with their ids in the same order. */
export async function insertLeases(
  trx: Trx,
  draft: LeaseDraft,
  wave: Wave,
  parts: readonly (readonly Person[])[],
  lastOrdinal: number,
): Promise<readonly number[]> {
  const { context, lane } = draft;
  // Whoever is left out between two leases is in the range of the former one.
  const beginnings = parts.slice(1).map(([first]) => first?.ordinal ?? 0);
  const firsts = [wave.nextOrdinal, ...beginnings];
  const sums = parts.map(sumsOf);
  const claims = parts.map((part, index) => claimsByOrdinal(part, firsts[index] ?? 0));
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
    firsts,
    lasts: [...beginnings.map((ordinal) => ordinal - 1), lastOrdinal],
    widths: parts.map((part) => part.length),
    segments: sums.map((one) => one.segments),
    costs: sums.map((one) => one.costMicroUsd),
    segmentsEach: claims.map((one) => one?.segments ?? null),
    costsEach: claims.map((one) => one?.costs ?? null),
  });
  return rows.map(({ id }) => id);
}

/** What texts to these people cost together, and how many segments they have. */
export function sumsOf(people: readonly Person[]): {
  readonly costMicroUsd: number;
  readonly segments: number;
} {
  return {
    costMicroUsd: people.reduce((sum, person) => sum + person.costMicroUsd, 0),
    segments: people.reduce((sum, person) => sum + person.segments, 0),
  };
}

/** Writes why whoever is refused in a wave is not texted, which is his final state. */
export async function writeSkips(trx: Trx, draft: LeaseDraft, waveNumber: number): Promise<void> {
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
export async function leaveOut(trx: Trx, draft: LeaseDraft, wave: Wave): Promise<void> {
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
