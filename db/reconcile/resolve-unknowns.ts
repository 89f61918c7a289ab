import { sql } from 'kysely';
import type { Trx } from '../database.ts';

/**
 * Something proves that unknown attempts of a message were accepted. Resolves with how many of them count for their
 * recipients; where a newer attempt has a result already, that one does. Whoever was resolved before stays so.
 */
export async function resolveUnknowns(
  trx: Trx,
  of: { readonly month: string; readonly messageKey: number },
  proved: readonly { readonly recipient: number; readonly attempt: number; readonly uuid: string | null }[],
): Promise<number> {
  const resolved = await sql<{ counted: number }>`
    with known as (
      select u.*, x.uuid
      from unnest(${proved.map((one) => one.recipient)}::int[], ${proved.map((one) => one.attempt)}::smallint[],
                  ${proved.map((one) => one.uuid)}::text[]) as x(recipient, attempt, uuid)
      join unknowns u on u.month = ${of.month} and u.message_key = ${of.messageKey}
        and u.recipient = x.recipient and u.attempt = x.attempt
      order by u.recipient for update of u
    ), written as (
      insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, carrier_uuid)
      select k.month, k.account_id, k.message_key, k.recipient, k.attempt, 'resolved', 'accepted', k.uuid from known k
      on conflict do nothing
      returning recipient, attempt
    )
    select count(*)::int as counted from written w join known k using (recipient, attempt)
    where k.state <> 'superseded'`.execute(trx);
  return resolved.rows[0]?.counted ?? 0;
}
