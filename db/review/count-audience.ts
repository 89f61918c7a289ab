import { type RawBuilder, sql } from 'kysely';
import type { AudienceGroup } from '../../domain/review/message-figures.ts';
import type { Trx } from '../database.ts';
import { GRAVEST_SUPPRESSION, leftOutReason } from '../left-out.ts';
import type { AudienceSource } from './audience-source.ts';

/** An audience with what decides who of it may be texted. */
export interface Audience {
  readonly source: AudienceSource;
  readonly accountId: string;
  readonly senderId: string | null;
  /** Countries that the account may text. */
  readonly countries: readonly string[];
}

/** How many are left out for a reason, and the first of them: the contact known longest. */
export interface LeftOut {
  readonly reason: string;
  readonly count: number;
  readonly contactId: number;
}

/** An audience in numbers. */
export interface AudienceCounts {
  readonly recipients: number;
  readonly leftOut: readonly LeftOut[];
  /** Everybody else, by country. */
  readonly groups: readonly AudienceGroup[];
}

/** Those who may be texted, taken together by the values of some merge fields, or a sample of single ones. */
export interface GroupedAudience {
  readonly counts: AudienceCounts;
  readonly groups: readonly AudienceGroup[];
  readonly isSample: boolean;
}

/** How finely an audience is looked at. */
export interface Grouping {
  /** The merge fields whose values count; none is by country only. */
  readonly fields: readonly string[];
  /** Beyond so many groups a sample is taken. */
  readonly groupsMax: number;
  readonly sampleSize: number;
}

interface Row {
  readonly part: 'count' | 'group' | 'sample';
  readonly leftOut: string | null;
  readonly country: string;
  readonly values: readonly (string | null)[];
  readonly count: number;
  readonly contactId: number;
}

/**
 * Counts an audience exactly, and groups those who may be texted. If that makes more groups than `groupsMax`, it takes
 * so many single people instead: those with the lowest keyed hashes of their numbers, a fair sample. One query, so that
 * the audience is gone through once.
 */
export async function countAudience(
  trx: Trx,
  audience: Audience,
  { fields, groupsMax, sampleSize }: Grouping = { fields: [], groupsMax: 0, sampleSize: 0 },
): Promise<GroupedAudience> {
  const values =
    fields.length === 0 ? sql`'{}'::text[]` : sql`array[${sql.join(fields.map(valueOf))}]::text[]`;
  const isGrouped = fields.length > 0;
  const { rows } = await sql<Row>`
    with judged as materialized (
      select x.person, x.country, x.left_out, x.number_hash, case when x.left_out is null then ${values} end as values
      from (${judged(audience)}) x
    ), grouped as materialized (
      select country, values, count(*)::int as count, min(person) as person from judged
      where ${isGrouped} and left_out is null group by 1, 2 limit ${groupsMax + 1}
    ), sampled as (
      select country, values, 1 as count, person from judged
      where ${isGrouped} and left_out is null and (select count(*) from grouped) > ${groupsMax}
      order by number_hash limit ${sampleSize}
    )
    select 'count' as part, left_out as "leftOut", country, '{}'::text[] as values, count(*)::int as count,
      min(person) as "contactId"
    from judged group by left_out, country
    union all
    select 'group', null, country, values, count, person from grouped
    where (select count(*) from grouped) <= ${groupsMax}
    union all
    select 'sample', null, country, values, count, person from sampled`.execute(trx);
  const counted = rows.filter((row) => row.part === 'count');
  return {
    counts: countsOf(counted),
    groups: rows.filter((row) => row.part !== 'count'),
    isSample: rows.some((row) => row.part === 'sample'),
  };
}

function countsOf(rows: readonly Row[]): AudienceCounts {
  const leftOut = new Map<string, LeftOut>();
  const groups: AudienceGroup[] = [];
  for (const { leftOut: reason, country, values, count, contactId } of rows) {
    if (reason === null) {
      groups.push({ country, values, count, contactId });
      continue;
    }
    const known = leftOut.get(reason);
    leftOut.set(reason, {
      reason,
      count: (known?.count ?? 0) + count,
      contactId: Math.min(known?.contactId ?? contactId, contactId),
    });
  }
  return {
    recipients: rows.reduce((sum, row) => sum + row.count, 0),
    leftOut: [...leftOut.values()].toSorted((one, other) => one.reason.localeCompare(other.reason)),
    groups,
  };
}

/** How many are on a list and left out because an excluded list holds them too. */
export async function countExcluded(
  trx: Trx,
  campaignId: string,
): Promise<{ readonly count: number; readonly contactId: number | null }> {
  const { rows } = await sql<{ count: number; contactId: number | null }>`
    select count(*)::int as count, min(x.contact_id) as "contactId" from (
      select m.contact_id from list_members m join campaign_lists l on l.list_id = m.list_id
      where l.campaign_id = ${campaignId} and not l.excluded
      intersect
      select m.contact_id from list_members m join campaign_lists l on l.list_id = m.list_id
      where l.campaign_id = ${campaignId} and l.excluded
    ) x`.execute(trx);
  return rows[0] ?? { count: 0, contactId: null };
}

/** The audience with `left_out`: why somebody is not texted, or null. */
function judged({ source, accountId, senderId, countries }: Audience): RawBuilder<unknown> {
  const leftOut = leftOutReason({
    suppression: sql`suppression.kind`,
    contactId: sql`a.contact_id`,
    country: sql`a.country`,
    countries,
  });
  return sql`
    select a.*, ${leftOut} as left_out
    from (${source}) a left join (
      select s.number_hash, ${GRAVEST_SUPPRESSION} as kind from suppressions s
      where s.account_id = ${accountId} and (s.sender_id is null or s.sender_id = ${senderId})
      group by 1
    ) suppression on suppression.number_hash = a.number_hash`;
}

const CUSTOM_PREFIX = 'custom.';

function valueOf(field: string): RawBuilder<unknown> {
  switch (field) {
    case 'firstName':
      return sql`x.first_name`;
    case 'lastName':
      return sql`x.last_name`;
    case 'number':
      return sql`x.number`;
    default:
      return sql`x.custom ->> ${field.slice(CUSTOM_PREFIX.length)}::text`;
  }
}
