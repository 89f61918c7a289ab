import { sql } from 'kysely';
import type { Trx } from './database.ts';

/**
 * Takes a number and all that is known of its owner out of an account: contact, replies, refused rows of files, kept
 * answers, and his number in audiences and suppressions. What is left is the keyed hash, which goes on refusing, and
 * what the ledger says of a recipient by his number within the audience.
 */
export async function erasePerson(
  trx: Trx,
  person: { readonly accountId: string; readonly number: string; readonly numberHash: Buffer },
): Promise<void> {
  const { accountId, number, numberHash } = person;
  await trx
    .updateTable('suppressions')
    .set({ number: null, reason: null })
    .where('account_id', '=', accountId)
    .where('number_hash', '=', numberHash)
    .execute();
  await trx
    .updateTable('suppression_history')
    .set({ reason: null })
    .where('account_id', '=', accountId)
    .where('number_hash', '=', numberHash)
    .where('reason', 'is not', null)
    .execute();
  await trx
    .updateTable('inbound_messages')
    .set({ number: null, text: null })
    .where('account_id', '=', accountId)
    .where('number_hash', '=', numberHash)
    .execute();
  await trx
    .deleteFrom('test_numbers')
    .where('account_id', '=', accountId)
    .where('number', '=', number)
    .execute();
  await trx
    .updateTable('test_sends')
    .set({ number: null, text: null })
    .where('account_id', '=', accountId)
    .where('number_hash', '=', numberHash)
    .execute();
  await trx.deleteFrom('contacts').where('account_id', '=', accountId).where('number', '=', number).execute();
  // Campaign by campaign through the audience's unique key; an index by number over all audiences would cost each
  // freeze more than an erasure, which is rare, is worth.
  await sql`
    update recipients r set number = null from campaigns c
    where c.account_id = ${accountId} and c.audience_month is not null and r.month = c.audience_month
      and r.campaign_key = c.key and r.number_hash = ${numberHash}`.execute(trx);
  const digits = number.slice(1);
  await sql`
    delete from import_refusals
    where account_id = ${accountId} and regexp_replace(raw, '[^0-9]', '', 'g') like ${`%${digits.slice(-NATIONAL_DIGITS)}%`}`.execute(
    trx,
  );
  await sql`
    delete from idempotency_keys where account_id = ${accountId} and body::text like ${`%${number}%`}`.execute(
    trx,
  );
}

/** A row of a file holds the number as somebody wrote it, mostly without its country's digits. */
const NATIONAL_DIGITS = 9;
