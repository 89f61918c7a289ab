import { sql } from 'kysely';
import type { Campaign } from '../campaigns.ts';
import { actAs, type Trx } from '../database.ts';

/** A sub-account in which a central campaign's message is shown, with its lists in the campaign. */
export interface ExampleAccount {
  readonly accountId: string;
  readonly listIds: readonly string[];
}

/**
 * The sub-account that is named, or the first one of the preset by id; once the campaign has been launched, of its parts.
 * Null when there is none, it is not one of them, or it is the parent's no longer.
 */
export async function findExampleAccount(
  trx: Trx,
  campaign: Campaign,
  accountId: string | null,
): Promise<ExampleAccount | null> {
  const { rows } = await sql<ExampleAccount>`
    select account_id as "accountId", array_agg(list_id order by list_id) as "listIds"
    from (
      select p.sub_account_id as account_id, l.list_id
      from central_parts p join central_part_lists l on l.central_id = p.central_id and l.number = p.number
      where p.central_id = ${campaign.id}
      union all
      select sub_account_id, list_id from preset_pairs
      where preset_id = ${campaign.presetId}
        and not exists (select from central_parts where central_id = ${campaign.id})
    ) pairs
    where ${accountId}::text is null or account_id = ${accountId}
    group by account_id order by account_id limit 1`.execute(trx);
  const [found] = rows;
  if (found === undefined) return null;
  const accounts = { from: campaign.accountId, to: found.accountId };
  const row = await actAs(trx, accounts, () =>
    trx
      .selectFrom('accounts')
      .where('id', '=', found.accountId)
      .where('parent_id', '=', campaign.accountId)
      .select('id')
      .executeTakeFirst(),
  );
  return row === undefined ? null : found;
}
