import { type RawBuilder, sql } from 'kysely';
import { LEASE_PACE_MS } from '../../domain/dispatch/pace.ts';
import { paceWithin } from '../../domain/dispatch/quota.ts';
import { createCosts } from '../../domain/rates.ts';
import { type Rendering, renderText } from '../../domain/render-text.ts';
import { SUPPRESSION_KINDS } from '../../domain/suppression.ts';
import { isConstant } from '../../domain/template.ts';
import { askedTogether } from '../asked-together.ts';
import type { Trx } from '../database.ts';
import { prepareQuery } from '../prepared-query.ts';
import { leftOutReason } from '../left-out.ts';
import type { Claim, LeaseContext, LeaseDraft } from './lease-draft.ts';

interface Candidate {
  waveId: number;
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

/** Takes the next range of the lowest open wave, and judges and renders each recipient in it. */
export async function claimRange(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  const range = await lockRange(trx, draft);
  return range.wave === null
    ? () => ({ kind: 'exhausted', nextDueAt: range.nextDueAt })
    : () => {
        fillDraft(draft, range.wave, range.candidates);
        return null;
      };
}

type Wave = NonNullable<LeaseDraft['wave']>;
type Range =
  | { readonly wave: Wave; readonly candidates: readonly Candidate[] }
  | { readonly wave: null; readonly nextDueAt: number | null };

function fillDraft(draft: LeaseDraft, wave: Wave, candidates: readonly Candidate[]): void {
  draft.wave = wave;
  const { context } = draft;
  const pace = paceWithin(context.sender.pace, context.sender.quotas);
  const segmentsMax = pace === null ? Number.POSITIVE_INFINITY : (pace * LEASE_PACE_MS) / 1_000;
  const render = createRendering(context);
  const costOf = createCosts({ senderType: context.sender.type, kind: context.kind, at: draft.at });
  let segments = 0;
  // They come in this order nearly always, so that sorting costs less here than a copy of each row in PostgreSQL.
  for (const candidate of candidates.toSorted((one, other) => one.ordinal - other.ordinal)) {
    const { ordinal, recipient, attempt, number, numberHash } = candidate;
    if (candidate.leftOut !== null) {
      draft.skips.push({ ordinal, recipient, reason: candidate.leftOut });
      continue;
    }
    const rendered = render(candidate);
    if (rendered.kind === 'refused') {
      draft.skips.push({ ordinal, recipient, reason: rendered.reason });
      continue;
    }
    const { text } = rendered;
    segments += rendered.segments;
    if (segments > segmentsMax && draft.people.length > 0) break;
    const costMicroUsd = costOf(candidate.country, rendered.segments);
    draft.people.push({
      ordinal,
      recipient,
      attempt,
      number,
      numberHash,
      text,
      segments: rendered.segments,
      costMicroUsd,
    });
  }
}

/**
 * The lowest open wave, locked, with whom a lease of it may hold. A lane that is just taking a range is waited for.
 * Other lanes wait for this one until it commits, so both are asked together where it is the first wave of a cohort,
 * as it nearly always is.
 */
async function lockRange(trx: Trx, draft: LeaseDraft): Promise<Range> {
  const asked = askedOf(draft);
  for (;;) {
    const [[wave], fromCohort] = await askedTogether([
      lockLowest(trx, asked),
      // The lock was given when this begins, so that it sees where the lanes before have come to.
      askForCohort[asked.isSameForAll ? 'unnamed' : 'named'](trx, asked),
    ]);
    if (wave !== undefined) {
      // A lower wave may have been opened between the two.
      const isSame = fromCohort[0]?.waveId === wave.id;
      return { wave, candidates: isSame ? fromCohort : await readCandidates(trx, asked, wave) };
    }
    // What was the lowest may have been taken to its end meanwhile.
    const [waiting] = await askForWaiting(trx, asked);
    if (waiting?.isOpen !== true) return { wave: null, nextDueAt: waiting?.dueAt?.getTime() ?? null };
  }
}

/** What the queries go by. */
interface Asked {
  readonly messageKey: number;
  readonly campaignKey: number;
  readonly month: string;
  readonly senderId: string;
  readonly countries: readonly string[];
  readonly at: Date;
  readonly width: number;
  /** Nothing of a contact is in the text. */
  readonly isSameForAll: boolean;
}

function askedOf({ context, at, width }: LeaseDraft): Asked {
  const { messageKey, campaignKey, month, sender, account, template } = context;
  const { countries } = account;
  const isSameForAll = isConstant(template);
  return {
    messageKey,
    campaignKey,
    month,
    senderId: sender.id,
    countries,
    at: new Date(at),
    width,
    isSameForAll,
  };
}

/** What a text may say of a contact. */
const NAMED = sql`p.first_name as "firstName", p.last_name as "lastName", p.custom`;
/** Not read where nothing of it is said, which of many recipients is a tenth of what it takes to judge them. */
const UNNAMED = sql`null as "firstName", null as "lastName", null as custom`;

/** The id of the lowest open wave, as an expression. */
function lowestOpenWave({ messageKey, at }: Asked): RawBuilder<unknown> {
  return sql`(
    select o.id from waves o where o.message_key = ${messageKey} and o.next_ordinal < o.size
      and (o.due_at is null or o.due_at <= ${at})
    order by o.wave, o.cohort limit 1)`;
}

const lockLowest = prepareQuery((db, asked: Asked) =>
  sql<Wave>`
    select w.id, w.wave as number, w.repeats, w.round, w.next_ordinal as "nextOrdinal"
    from waves w where w.id = ${lowestOpenWave(asked)} and w.next_ordinal < w.size for update`.compile(db),
);

const askForWaiting = prepareQuery((db, asked: Asked) =>
  sql<{ isOpen: boolean; dueAt: Date | null }>`
    select ${lowestOpenWave(asked)} is not null as "isOpen", min(due_at) as "dueAt"
    from waves where message_key = ${asked.messageKey} and next_ordinal < size`.compile(db),
);

/** Whom the cohort of the lowest open wave has next, with what a text may say of him, or with nothing of it. */
const askForCohort = {
  named: prepareQuery((db, asked: Asked) =>
    candidatesOf(asked, cohortRange(asked, lowestOpenWave(asked)), NAMED).compile(db),
  ),
  unnamed: prepareQuery((db, asked: Asked) =>
    candidatesOf(asked, cohortRange(asked, lowestOpenWave(asked)), UNNAMED).compile(db),
  ),
};

async function readCandidates(trx: Trx, asked: Asked, wave: Wave): Promise<readonly Candidate[]> {
  const own = sql`${wave.id}::bigint`;
  const range = wave.number === 0 ? cohortRange(asked, own) : memberRange(asked, own);
  const { rows } = await candidatesOf(asked, range, asked.isSameForAll ? UNNAMED : NAMED).execute(trx);
  return rows;
}

/**
 * The next of a wave 0 by the numbers of its cohort. Each recipient is found by his whole key, whatever the planner
 * knows of an audience that was frozen just now: joined as a table, all of it would be read for each of them while
 * there are no statistics. That is what the offsets are for.
 */
function cohortRange({ month, campaignKey, width }: Asked, waveId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select w.id as wave_id, w.repeats, r.*, r.recipient - c.recipient_first as ordinal, 1 as attempt
    from waves w join cohorts c on c.campaign_key = w.campaign_key and c.cohort = w.cohort
    cross join lateral (
      select * from recipients x
      where x.month = ${month} and x.campaign_key = ${campaignKey}
        and x.recipient between c.recipient_first + w.next_ordinal
          and c.recipient_first + least(w.size, w.next_ordinal + ${width}) - 1 offset 0
    ) r
    where w.id = ${waveId} and w.wave = 0`;
}

/** The next of a later wave, by its members. */
function memberRange({ month, campaignKey, width }: Asked, waveId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select w.id as wave_id, w.repeats, r.*, m.ordinal, m.attempt
    from waves w cross join lateral (
      select * from wave_members x where x.month = ${month} and x.wave_id = w.id
        and x.ordinal between w.next_ordinal and w.next_ordinal + ${width} - 1 offset 0
    ) m cross join lateral (
      select * from recipients x
      where x.month = ${month} and x.campaign_key = ${campaignKey} and x.recipient = m.recipient offset 0
    ) r
    where w.id = ${waveId}`;
}

/** Those of a range in any order, each with the reason not to text him, if there is one. */
function candidatesOf(
  asked: Asked,
  range: RawBuilder<unknown>,
  names: RawBuilder<unknown>,
): RawBuilder<Candidate> {
  const { countries, senderId } = asked;
  const leftOut = leftOutReason({
    suppression: sql`(
      select s.kind from suppressions s where s.account_id = r.account_id
        and s.number_hash = r.number_hash and (s.sender_id is null or s.sender_id = ${senderId})
      order by array_position(${SUPPRESSION_KINDS}::text[], s.kind) limit 1)`,
    contactId: sql`p.id`,
    country: sql`r.country`,
    countries,
  });
  return sql<Candidate>`
    select r.wave_id as "waveId", r.ordinal, r.recipient, r.attempt, r.number,
      encode(r.number_hash, 'hex') as "numberHash", r.country, ${names},
      coalesce(${leftOut}, case when r.repeats then ${settledMeanwhile(asked)} end) as "leftOut"
    from (${range}) r
    left join lateral (
      select x.id, x.number, x.first_name, x.last_name, x.custom from contacts x where x.id = r.contact_id offset 0
    ) p on p.number = r.number`;
}

/**
 * Whoever is to be tried again is so only while nothing is known of a text that reached him: each of his attempts is
 * still unknown, or the carrier never handed it over. An older one may have been proved after a newer one had a result.
 */
function settledMeanwhile({ month, messageKey }: Asked): RawBuilder<unknown> {
  return sql`(
    select 'accepted_meanwhile' from attempts a
    left join outcomes p on p.month = a.month and p.message_key = a.message_key and p.recipient = a.recipient
      and p.attempt = a.attempt and p.stage = 'resolved'
    left join outcomes o on o.month = a.month and o.message_key = a.message_key and o.recipient = a.recipient
      and o.attempt = a.attempt and o.stage = 'final'
    where a.month = ${month} and a.message_key = ${messageKey} and a.recipient = r.recipient
      and a.attempt < r.attempt and a.result <> 'not_accepted'
      and (a.result <> 'unknown' or p.stage is not null)
      and o.status is distinct from 'failed'
    limit 1)`;
}

/** What each gets; a text that is the same for everybody is made once. */
function createRendering(context: LeaseContext): (candidate: Candidate) => Rendering {
  const { name, senderName } = context.account;
  const render = ({ firstName, lastName, number, custom }: Candidate): Rendering =>
    renderText(context, { firstName, lastName, number, custom: custom ?? {}, account: { name, senderName } });
  if (!isConstant(context.template)) return render;
  let same: Rendering | null = null;
  return (candidate) => {
    same ??= render(candidate);
    return same;
  };
}
