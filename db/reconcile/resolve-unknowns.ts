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
  // The outcome comes first and locks the unknown's row then, as a status report does: neither waits for the other.
  const written = await sql<{ recipient: number; attempt: number }>`
    insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, carrier_uuid)
    select u.month, u.account_id, u.message_key, u.recipient, u.attempt, 'resolved', 'accepted', x.uuid
    from unnest(${proved.map((one) => one.recipient)}::int[], ${proved.map((one) => one.attempt)}::smallint[],
                ${proved.map((one) => one.uuid)}::text[]) as x(recipient, attempt, uuid)
    join unknowns u on u.month = ${of.month} and u.message_key = ${of.messageKey}
      and u.recipient = x.recipient and u.attempt = x.attempt
    order by u.recipient
    on conflict do nothing
    returning recipient, attempt`.execute(trx);
  const { rows } = written;
  if (rows.length === 0) return 0;
  const resolved = await sql<{ counted: number }>`
    select count(*)::int as counted from unknowns u
    join unnest(${rows.map((one) => one.recipient)}::int[], ${rows.map((one) => one.attempt)}::smallint[])
      as x(recipient, attempt) on u.recipient = x.recipient and u.attempt = x.attempt
    where u.month = ${of.month} and u.message_key = ${of.messageKey} and u.state = 'accepted'`.execute(trx);
  return resolved.rows[0]?.counted ?? 0;
}
