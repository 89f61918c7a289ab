import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Db, Trx } from './database.ts';
import { newId } from './ids.ts';

/** Something that is attached to a message. */
export interface Media {
  readonly id: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly token: string;
  readonly createdAt: Date;
}

const TOKEN_BYTES = 24;

/** Keeps media in the database, so that any process serves them, under a path that cannot be guessed. */
export async function insertMedia(
  trx: Trx,
  media: { readonly accountId: string; readonly contentType: string; readonly content: Buffer },
): Promise<string> {
  const id = newId('med');
  await trx
    .insertInto('media')
    .values({
      id,
      account_id: media.accountId,
      content_type: media.contentType,
      bytes: media.content.length,
      token: randomBytes(TOKEN_BYTES).toString('base64url'),
      content: media.content,
    })
    .execute();
  return id;
}

/** What is known of media, without their content. */
export async function findMedia(trx: Trx, id: string): Promise<Media | null> {
  const row = await trx
    .selectFrom('media')
    .where('id', '=', id)
    .select(['id', 'content_type as contentType', 'bytes', 'token', 'created_at as createdAt'])
    .executeTakeFirst();
  return row ?? null;
}

/** The content behind a token, of any account: the carrier fetches it. */
export async function findMediaContent(
  db: Db,
  token: string,
): Promise<{ readonly contentType: string; readonly content: Buffer } | null> {
  const rows = await sql<{ contentType: string; content: Buffer }>`
    select content_type as "contentType", content from find_media(${token})`.execute(db);
  return rows.rows[0] ?? null;
}
