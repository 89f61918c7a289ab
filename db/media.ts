import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Db, Trx } from './database.ts';
import { newId } from './ids.ts';
import { type Listed, type Order, orderOf, type Part } from './listing.ts';

/** Something that is attached to messages. */
export interface Media {
  readonly id: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly createdAt: Date;
  /** Campaigns that use it. */
  readonly campaigns: number;
  /** Since when none does; null while one does. */
  readonly unusedSince: Date | null;
}

/** What is served behind a token. */
export interface ServedMedia {
  readonly id: string;
  readonly accountId: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** How many bytes one row holds; the last may hold fewer. */
export const MEDIA_PIECE_BYTES = 256 * 1024;
/** How long media stay that no campaign uses any more: the carrier may still fetch what was sent last. */
export const MEDIA_GRACE_MS = 24 * 60 * 60_000;

const TOKEN_BYTES = 24;

/** Begins an upload under a path that cannot be guessed. Nobody sees it before it is published. */
export async function beginMedia(trx: Trx, accountId: string, contentType: string): Promise<string> {
  const id = newId('med');
  await trx
    .insertInto('media')
    .values({
      id,
      account_id: accountId,
      content_type: contentType,
      bytes: 0,
      token: randomBytes(TOKEN_BYTES).toString('base64url'),
    })
    .execute();
  return id;
}

/** Keeps one piece of an upload, counted from 0. */
export async function appendMediaPiece(
  trx: Trx,
  piece: {
    readonly accountId: string;
    readonly mediaId: string;
    readonly piece: number;
    readonly content: Buffer;
  },
): Promise<void> {
  const { accountId, mediaId, content } = piece;
  await trx
    .insertInto('media_pieces')
    .values({ account_id: accountId, media_id: mediaId, piece: piece.piece, content })
    .execute();
}

/** Ends an upload: from now on it can be attached, and is removed if that does not happen within the grace. */
export async function publishMedia(
  trx: Trx,
  id: string,
  content: { readonly bytes: number; readonly sha256: string },
): Promise<void> {
  const now = sql<Date>`clock_timestamp()`;
  await trx
    .updateTable('media')
    .set({ ...content, ready_at: now, unused_since: now })
    .where('id', '=', id)
    .execute();
}

/** Forgets an upload that was not published. */
export async function discardMedia(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('media').where('id', '=', id).where('ready_at', 'is', null).execute();
}

/** Those of these media that there are, kept from being removed until the transaction ends and uses them. */
export async function useMedia(
  trx: Trx,
  ids: readonly string[],
): Promise<{ readonly id: string; readonly bytes: number }[]> {
  return trx
    .updateTable('media')
    .set({ unused_since: null })
    .where('id', 'in', ids)
    .where('ready_at', 'is not', null)
    .returning(['id', 'bytes'])
    .execute();
}

const COLUMNS = [
  'id',
  'content_type as contentType',
  'bytes',
  'created_at as createdAt',
  'unused_since as unusedSince',
  sql<number>`(select count(distinct u.campaign_id)::int from messages u join campaigns c on c.id = u.campaign_id
    where u.media_ids @> array[media.id] and u.media_ids <> '{}' and c.deleted_at is null)`.as('campaigns'),
] as const;

/** What is known of media, without their content. */
export async function findMedia(trx: Trx, id: string): Promise<Media | null> {
  const row = await trx
    .selectFrom('media')
    .where('id', '=', id)
    .where('ready_at', 'is not', null)
    .select(COLUMNS)
    .executeTakeFirst();
  return row ?? null;
}

/** What media can be sorted by. */
export const MEDIA_SORTS = ['createdAt', 'bytes', 'contentType'] as const;

/** A page of the account's media, the newest first, and how many there are in all. */
export async function listMedia(
  trx: Trx,
  query: { readonly contentTypes?: readonly string[] } & Order<(typeof MEDIA_SORTS)[number]> & Part,
): Promise<Listed<Media>> {
  let ready = trx.selectFrom('media').where('ready_at', 'is not', null);
  if (query.contentTypes !== undefined) ready = ready.where('content_type', 'in', query.contentTypes);
  const sorts = {
    createdAt: sql.ref('created_at'),
    bytes: sql.ref('bytes'),
    contentType: sql.ref('content_type'),
  };
  const [{ total }, items] = await Promise.all([
    ready.select((select) => select.fn.countAll<number>().as('total')).executeTakeFirstOrThrow(),
    ready
      .select(COLUMNS)
      .orderBy(orderOf(sorts[query.sort], query))
      .limit(query.limit)
      .offset(query.offset)
      .execute(),
  ]);
  return { items, total };
}

/** What stands behind a token, of any account: the carrier fetches it. */
export async function findServedMedia(db: Db, token: string): Promise<ServedMedia | null> {
  const rows = await sql<ServedMedia>`
    select id, account_id as "accountId", content_type as "contentType", bytes, sha256
    from find_media(${token})`.execute(db);
  return rows.rows[0] ?? null;
}

/** One piece of the content, counted from 0; null after the last. */
export async function readMediaPiece(trx: Trx, mediaId: string, piece: number): Promise<Buffer | null> {
  const row = await trx
    .selectFrom('media_pieces')
    .where('media_id', '=', mediaId)
    .where('piece', '=', piece)
    .select('content')
    .executeTakeFirst();
  return row?.content ?? null;
}
