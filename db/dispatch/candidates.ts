import { type RawBuilder, sql } from 'kysely';
import { SUPPRESSION_KINDS } from '../../domain/suppression.ts';
import { isConstant } from '../../domain/template.ts';
import type { Trx } from '../database.ts';
import { leftOutReason } from '../left-out.ts';
import { prepareQuery } from '../prepared-query.ts';
import type { LeaseDraft } from './lease-draft.ts';

/** Somebody whom a lease may hold. */
export interface Candidate {
  readonly ordinal: number;
  readonly recipient: number;
  readonly attempt: number;
  readonly number: string;
  readonly numberHash: string;
  readonly country: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly custom: Record<string, string> | null;
  /** Why he is not texted. */
  readonly leftOut: string | null;
}

/** Whom a wave has next, in any order. */
export interface Candidates {
  /** Null where there is nobody. */
  readonly waveId: number | null;
  readonly people: readonly Candidate[];
}

/** What the queries go by. */
export interface Asked {
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

export function askedOf({ context, at, width }: LeaseDraft): Asked {
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

/** The id of the lowest open wave, as an expression. */
export function lowestOpenWave({ messageKey, at }: Asked): RawBuilder<unknown> {
  return sql`(
    select o.id from waves o where o.message_key = ${messageKey} and o.next_ordinal < o.size
      and (o.due_at is null or o.due_at <= ${at})
    order by o.wave, o.cohort limit 1)`;
}

const askForNamed = prepareQuery((db, asked: Asked) =>
  named(asked, cohortRange(asked, lowestOpenWave(asked))).compile(db),
);
const askForUnnamed = prepareQuery((db, asked: Asked) =>
  unnamed(asked, cohortRange(asked, lowestOpenWave(asked))).compile(db),
);

/** Whom the lowest open wave has next, if it is the first one of a cohort. */
export async function candidatesOfCohort(trx: Trx, asked: Asked): Promise<Candidates> {
  return asked.isSameForAll
    ? fromColumns(await askForUnnamed(trx, asked))
    : fromRows(await askForNamed(trx, asked));
}

/** Whom this wave has next. */
export async function candidatesOfWave(
  trx: Trx,
  asked: Asked,
  wave: { readonly id: number; readonly number: number },
): Promise<Candidates> {
  const own = sql`${wave.id}::bigint`;
  const range = wave.number === 0 ? cohortRange(asked, own) : memberRange(asked, own);
  return asked.isSameForAll
    ? fromColumns((await unnamed(asked, range).execute(trx)).rows)
    : fromRows((await named(asked, range).execute(trx)).rows);
}

type CandidateRow = Candidate & { readonly waveId: number };

/** With what a text may say of each. */
function named(asked: Asked, range: RawBuilder<unknown>): RawBuilder<CandidateRow> {
  return candidatesOf(asked, range, sql`p.first_name as "firstName", p.last_name as "lastName", p.custom`);
}

function fromRows(rows: readonly CandidateRow[]): Candidates {
  return { waveId: rows[0]?.waveId ?? null, people: rows };
}

/** What is asked of each, one behind the other with commas between them; null where there is nobody. */
interface CandidateColumns {
  readonly waveId: number | null;
  readonly ordinals: string | null;
  readonly recipients: string | null;
  readonly attempts: string | null;
  readonly numbers: string | null;
  readonly numberHashes: string | null;
  readonly countries: string | null;
  readonly leftOuts: string | null;
}

/**
 * Where everybody gets the same text a lease may hold two thousand of them. To read so many rows takes the driver a
 * fifth of all that the worker does for them, and to cut a few long texts into pieces next to nothing. Of whoever was
 * erased meanwhile something is missing, which must not shift the others.
 */
function unnamed(asked: Asked, range: RawBuilder<unknown>): RawBuilder<CandidateColumns> {
  return sql<CandidateColumns>`
    select min(c."waveId") as "waveId", string_agg(c.ordinal::text, ',') as ordinals,
      string_agg(c.recipient::text, ',') as recipients, string_agg(c.attempt::text, ',') as attempts,
      string_agg(coalesce(c.number, ''), ',') as numbers, string_agg(coalesce(c."numberHash", ''), ',') as "numberHashes",
      string_agg(coalesce(c.country, ''), ',') as countries, string_agg(coalesce(c."leftOut", ''), ',') as "leftOuts"
    from (${candidatesOf(asked, range, sql`null`)}) c`;
}

function fromColumns([columns]: readonly CandidateColumns[]): Candidates {
  const waveId = columns?.waveId ?? null;
  if (columns === undefined || waveId === null) return { waveId: null, people: [] };
  const cut = (column: string | null): readonly string[] => column?.split(',') ?? [];
  const recipients = cut(columns.recipients);
  const attempts = cut(columns.attempts);
  const numbers = cut(columns.numbers);
  const numberHashes = cut(columns.numberHashes);
  const countries = cut(columns.countries);
  const leftOuts = cut(columns.leftOuts);
  const people = cut(columns.ordinals).map((ordinal, index) => ({
    ordinal: Number(ordinal),
    recipient: Number(recipients[index]),
    attempt: Number(attempts[index]),
    number: numbers[index] ?? '',
    numberHash: numberHashes[index] ?? '',
    country: countries[index] ?? '',
    firstName: null,
    lastName: null,
    custom: null,
    leftOut: leftOuts[index] || null,
  }));
  return { waveId, people };
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
): RawBuilder<CandidateRow> {
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
  return sql<CandidateRow>`
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
