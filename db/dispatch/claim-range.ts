import { sql } from 'kysely';
import type { LeaseAnswer } from '../../domain/dispatch/dispatch-store.ts';
import { paceWithin } from '../../domain/dispatch/quota.ts';
import { costMicroUsd } from '../../domain/rates.ts';
import { renderText } from '../../domain/render-text.ts';
import type { Trx } from '../database.ts';
import { GRAVEST_SUPPRESSION, leftOutReason } from '../left-out.ts';
import type { LeaseContext, LeaseDraft } from './lease-draft.ts';

/** A lease holds at most about this much of the sender's pace; longer texts make it narrower. */
const PACE_SEGMENTS_SECONDS = 2;

interface Candidate {
  ordinal: number;
  recipient: number;
  attempt: number;
  number: string;
  numberHash: string;
  country: string;
  firstName: string | null;
  lastName: string | null;
  custom: Record<string, string> | null;
  leftOut: string | null;
}

/** Takes the next range of an open wave, and judges and renders each recipient in it. */
export async function claimRange(
  trx: Trx,
  draft: LeaseDraft,
): Promise<Exclude<LeaseAnswer, { kind: 'leased' }> | null> {
  const wave = await lockWave(trx, draft);
  if (wave === null) return { kind: 'exhausted', nextDueAt: await nextWaveDueAt(trx, draft) };
  draft.wave = wave;
  const candidates = await readCandidates(trx, draft, wave);
  const { context } = draft;
  const pace = paceWithin(context.sender.pace, context.sender.quotas);
  const segmentsMax = pace === null ? Number.POSITIVE_INFINITY : pace * PACE_SEGMENTS_SECONDS;
  let segments = 0;
  for (const candidate of candidates) {
    if (candidate.leftOut !== null) {
      const { ordinal, recipient, leftOut: reason } = candidate;
      draft.skips.push({ ordinal, recipient, reason });
      continue;
    }
    const rendered = render(candidate, context, draft.at);
    if (typeof rendered === 'string') {
      draft.skips.push({ ordinal: candidate.ordinal, recipient: candidate.recipient, reason: rendered });
      continue;
    }
    segments += rendered.segments;
    if (segments > segmentsMax && draft.people.length > 0) break;
    draft.people.push({
      ordinal: candidate.ordinal,
      recipient: candidate.recipient,
      attempt: candidate.attempt,
      number: candidate.number,
      numberHash: candidate.numberHash,
      ...rendered,
    });
  }
  return null;
}

/** The lowest open wave. Waits for a lane that is just taking a range, and then looks again. */
async function lockWave(trx: Trx, draft: LeaseDraft): Promise<LeaseDraft['wave']> {
  for (;;) {
    const open = await openWaves(trx, draft)
      .innerJoin('cohorts as c', (join) =>
        join.onRef('c.campaign_key', '=', 'waves.campaign_key').onRef('c.cohort', '=', 'waves.cohort'),
      )
      .select(['id', 'c.recipient_first as recipientFirst'])
      .orderBy('wave')
      .orderBy('waves.cohort')
      .limit(1)
      .executeTakeFirst();
    if (open === undefined) return null;
    const locked = await trx
      .selectFrom('waves')
      .where('id', '=', open.id)
      .whereRef('next_ordinal', '<', 'size')
      .select(['id', 'wave as number', 'repeats', 'round', 'next_ordinal as nextOrdinal', 'size'])
      .forUpdate()
      .executeTakeFirst();
    if (locked !== undefined) {
      draft.width = Math.min(draft.width, locked.size - locked.nextOrdinal);
      return { ...locked, recipientFirst: open.recipientFirst };
    }
  }
}

function openWaves(trx: Trx, draft: LeaseDraft) {
  return trx
    .selectFrom('waves')
    .where('waves.message_key', '=', draft.context.messageKey)
    .whereRef('waves.next_ordinal', '<', 'waves.size')
    .where((where) => where.or([where('due_at', 'is', null), where('due_at', '<=', new Date(draft.at))]));
}

async function nextWaveDueAt(trx: Trx, draft: LeaseDraft): Promise<number | null> {
  const next = await trx
    .selectFrom('waves')
    .where('message_key', '=', draft.context.messageKey)
    .whereRef('next_ordinal', '<', 'size')
    .select((select) => select.fn.min('due_at').as('dueAt'))
    .executeTakeFirst();
  return next?.dueAt?.getTime() ?? null;
}

async function readCandidates(
  trx: Trx,
  draft: LeaseDraft,
  wave: NonNullable<LeaseDraft['wave']>,
): Promise<Candidate[]> {
  const { month, campaignKey, sender } = draft.context;
  const from = wave.nextOrdinal;
  const to = wave.nextOrdinal + draft.width - 1;
  const { recipientFirst: first } = wave;
  // Each recipient is found by his whole key, whatever the planner knows of an audience that was frozen just now:
  // joined as a table, all of it would be read for each of them while there are no statistics.
  const range =
    wave.number === 0
      ? sql`select r.*, r.recipient - ${first}::int as ordinal, 1 as attempt from recipients r
            where r.month = ${month} and r.campaign_key = ${campaignKey}
              and r.recipient between ${first + from}::int and ${first + to}::int`
      : sql`select r.*, m.ordinal, m.attempt from wave_members m cross join lateral (
              select * from recipients x
              where x.month = ${month} and x.campaign_key = ${campaignKey} and x.recipient = m.recipient offset 0
            ) r
            where m.month = ${month} and m.wave_id = ${wave.id} and m.ordinal between ${from} and ${to}`;
  const leftOut = leftOutReason({
    suppression: sql`suppression.kind`,
    contactId: sql`p.id`,
    country: sql`r.country`,
    countries: draft.context.account.countries,
  });
  const settled = wave.repeats ? settledMeanwhile(draft) : sql`null`;
  const result = await sql<Candidate>`
    select r.ordinal, r.recipient, r.attempt, r.number, encode(r.number_hash, 'hex') as "numberHash", r.country,
      p.first_name as "firstName", p.last_name as "lastName", p.custom, coalesce(${leftOut}, ${settled}) as "leftOut"
    from (${range}) r
    left join contacts p on p.id = r.contact_id and p.number = r.number
    left join lateral (
      select ${GRAVEST_SUPPRESSION} as kind from suppressions s where s.account_id = r.account_id
        and s.number_hash = r.number_hash and (s.sender_id is null or s.sender_id = ${sender.id})
    ) suppression on true
    order by r.ordinal`.execute(trx);
  return result.rows;
}

/**
 * Whoever is to be tried again is so only while nothing is known of a text that reached him: each of his attempts is
 * still unknown, or the carrier never handed it over. An older one may have been proved after a newer one had a result.
 */
function settledMeanwhile({ context }: LeaseDraft) {
  return sql`(
    select 'accepted_meanwhile' from attempts a
    left join outcomes p on p.month = a.month and p.message_key = a.message_key and p.recipient = a.recipient
      and p.attempt = a.attempt and p.stage = 'resolved'
    left join outcomes o on o.month = a.month and o.message_key = a.message_key and o.recipient = a.recipient
      and o.attempt = a.attempt and o.stage = 'final'
    where a.month = ${context.month} and a.message_key = ${context.messageKey} and a.recipient = r.recipient
      and a.attempt < r.attempt and a.result <> 'not_accepted'
      and (a.result <> 'unknown' or p.stage is not null)
      and o.status is distinct from 'failed'
    limit 1)`;
}

function render(
  candidate: Candidate,
  context: LeaseContext,
  at: number,
): { text: string; segments: number; costMicroUsd: number } | string {
  const rendered = renderText(context, {
    firstName: candidate.firstName,
    lastName: candidate.lastName,
    number: candidate.number,
    custom: candidate.custom ?? {},
    account: { name: context.account.name, senderName: context.account.senderName },
  });
  if (rendered.kind === 'refused') return rendered.reason;
  const { text, segments } = rendered;
  const cost = costMicroUsd({
    country: candidate.country,
    senderType: context.sender.type,
    kind: context.kind,
    segments,
    at,
  });
  return { text, segments, costMicroUsd: cost };
}
