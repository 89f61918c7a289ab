import { type RawBuilder, sql } from 'kysely';
import { SUPPRESSION_KINDS, type SuppressionKind } from '../domain/suppression.ts';
import type { Trx } from './database.ts';

/** Of several suppressions `s` of one number the gravest, which is the reason that is told. */
export const GRAVEST_SUPPRESSION = sql`(array_agg(s.kind order by array_position(${SUPPRESSION_KINDS}::text[], s.kind)))[1]`;

/**
 * Why somebody of an audience is not texted whatever the message says, in the order in which reasons count; null when
 * he is. Leases and reviews judge by this one expression.
 */
export function leftOutReason(person: {
  /** The kind of a suppression that holds for the sender, or null. */
  readonly suppression: RawBuilder<unknown>;
  /** Null once the contact has been deleted, or has another number than the one that was frozen. */
  readonly contactId: RawBuilder<unknown>;
  readonly country: RawBuilder<unknown>;
  readonly countries: readonly string[];
}): RawBuilder<string | null> {
  return sql`coalesce(${person.suppression}, case
    when ${person.contactId} is null then 'contact_deleted'
    when ${person.country} <> all(${person.countries}::text[]) then 'country_not_allowed'
  end)`;
}

/** The gravest suppression of a number for a sender, or null when it may be texted. */
export async function gravestSuppression(
  trx: Trx,
  accountId: string,
  senderId: string,
  numberHash: Buffer,
): Promise<SuppressionKind | null> {
  const { rows } = await sql<{ kind: SuppressionKind | null }>`
    select ${GRAVEST_SUPPRESSION} as kind from suppressions s where s.account_id = ${accountId}
      and s.number_hash = ${numberHash} and (s.sender_id is null or s.sender_id = ${senderId})`.execute(trx);
  return rows[0]?.kind ?? null;
}
