import { sql } from 'kysely';
import type { Db } from '../database.ts';

/** Central campaigns whose runs show states of parts that are no longer so. */
export interface CentralsToTell {
  readonly campaignIds: readonly string[];
  /** When this was seen; to be given back once they have been told. */
  readonly seen: string | null;
}

/** Notes that states of parts of these central campaigns have changed. */
export async function noteCentralNews(db: Db, campaignIds: readonly string[]): Promise<void> {
  if (campaignIds.length === 0) return;
  await sql`select note_central_news(${[...campaignIds]}::text[])`.execute(db);
}

/** Central campaigns with news that have not been told within the last minute, the oldest news first. */
export async function centralsToTell(db: Db, howMany: number): Promise<CentralsToTell> {
  const { rows } = await sql<{ campaignId: string; seen: string }>`
    select campaign_id as "campaignId", seen from centrals_to_tell(${howMany})`.execute(db);
  return { campaignIds: rows.map(({ campaignId }) => campaignId), seen: rows[0]?.seen ?? null };
}

/** Notes that they were told. What has changed since they were looked for is still news. */
export async function noteCentralsTold(db: Db, { campaignIds, seen }: CentralsToTell): Promise<void> {
  if (campaignIds.length === 0) return;
  await sql`select note_centrals_told(${[...campaignIds]}::text[], ${seen}::timestamptz)`.execute(db);
}
