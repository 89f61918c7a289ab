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

/** Counts an audience exactly. */
export async function countAudience(trx: Trx, audience: Audience): Promise<AudienceCounts> {
  const { rows } = await sql<{ leftOut: string | null; country: string; count: number; contactId: number }>`
    select x.left_out as "leftOut", x.country, count(*)::int as count, min(x.person) as "contactId"
    from (${judged(audience)}) x group by 1, 2 order by 1, 2`.execute(trx);
  const leftOut = new Map<string, LeftOut>();
  const groups: AudienceGroup[] = [];
  for (const { leftOut: reason, country, count, contactId } of rows) {
    if (reason === null) {
      groups.push({ country, values: [], count, contactId });
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
    leftOut: [...leftOut.values()],
    groups,
  };
}

/**
 * Those who may be texted, taken together where they have the same values of these fields. If that makes more groups
 * than `groupsMax`, so many single people instead: those with the lowest keyed hashes of their numbers, a fair sample.
 */
export async function groupAudience(
  trx: Trx,
  audience: Audience,
  fields: readonly string[],
  groupsMax: number,
): Promise<{ readonly groups: AudienceGroup[]; readonly isSample: boolean }> {
  const values = sql`array[${sql.join(fields.map(valueOf))}]::text[]`;
  const { rows: groups } = await sql<AudienceGroup>`
    select x.country, ${values} as values, count(*)::int as count, min(x.person) as "contactId"
    from (${judged(audience)}) x where x.left_out is null
    group by 1, 2 limit ${groupsMax + 1}`.execute(trx);
  if (groups.length <= groupsMax) return { groups, isSample: false };
  const { rows: sample } = await sql<AudienceGroup>`
    select x.country, ${values} as values, 1 as count, x.person as "contactId"
    from (${judged(audience)}) x where x.left_out is null
    order by x.number_hash limit ${groupsMax}`.execute(trx);
  return { groups: sample, isSample: true };
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
