import { sql } from 'kysely';
import type { Db } from './database.ts';

/** A key, and the account whose reports are read with it: the key's own, or another one that it may act for. */
export interface ReportReader {
  readonly keyId: string;
  readonly accountId: string;
}

/**
 * Which of these may still read: the key counts, and it is the account's own, an operator's, or its parent's, whom the
 * account still lets see its reports. Asked again and again by what lasts, such as streams and downloads.
 */
export async function readersInForce<Reader extends ReportReader>(
  db: Db,
  readers: readonly Reader[],
): Promise<Set<Reader>> {
  const asked = new Map(readers.map((reader) => [nameOf(reader), reader]));
  const pairs = [...asked.values()];
  const { rows } = await sql<ReportReader>`
    select key_id as "keyId", account_id as "accountId"
    from readers_in_force(${pairs.map((pair) => pair.keyId)}::text[], ${pairs.map((pair) => pair.accountId)}::text[])`.execute(
    db,
  );
  const inForce = new Set(rows.map(nameOf));
  return new Set(readers.filter((reader) => inForce.has(nameOf(reader))));
}

function nameOf({ keyId, accountId }: ReportReader): string {
  return `${keyId} ${accountId}`;
}
