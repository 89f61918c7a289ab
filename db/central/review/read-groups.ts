import { sql } from 'kysely';
import type { AudienceGroup } from '../../../domain/review/message-figures.ts';
import type { Trx } from '../../database.ts';
import type { PartSettings } from './read-settings.ts';

/** Accounts whose people are counted in one question. */
const ACCOUNTS_AT_ONCE = 200;

interface Row {
  readonly accountId: string;
  readonly country: string;
  readonly values: readonly (string | null)[];
  readonly count: number;
}

/**
 * Who would be texted of each account, by country and by the values of these merge fields; with a sample size so many
 * single people of each instead. No account is asked for by itself: five thousand would take minutes.
 */
export async function readGroups(
  trx: Trx,
  presetOrCampaignId: string,
  parts: readonly PartSettings[],
  { fields, sampleSize }: { readonly fields: readonly string[]; readonly sampleSize: number | null },
): Promise<ReadonlyMap<string, readonly AudienceGroup[]>> {
  const groups = new Map<string, AudienceGroup[]>();
  for (let from = 0; from < parts.length; from += ACCOUNTS_AT_ONCE) {
    const some = parts.slice(from, from + ACCOUNTS_AT_ONCE);
    const { rows } = await sql<Row>`
      select account_id as "accountId", country, field_values as values, people as count
      from central_audience(${presetOrCampaignId}, ${some.map((part) => part.accountId)}::text[],
        ${some.map((part) => part.sender?.id ?? null)}::text[], ${[...fields]}::text[], ${sampleSize}::integer)`.execute(
      trx,
    );
    for (const { accountId, ...group } of rows) {
      const known = groups.get(accountId) ?? [];
      groups.set(accountId, known);
      known.push({ ...group, contactId: 0 });
    }
  }
  return groups;
}
