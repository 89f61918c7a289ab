import type { MessageStatus } from '../domain/campaign-status.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';
import { prepareQuery } from './prepared-query.ts';

/** A message of a campaign; instants are campaign time. */
export interface Message {
  readonly id: string;
  readonly key: number;
  readonly campaignId: string;
  readonly position: number;
  readonly type: string;
  readonly text: string;
  readonly mediaIds: readonly string[];
  readonly scheduleLocal: string | null;
  readonly scheduleZone: string | null;
  readonly dueAt: Date | null;
  readonly expiresAfterMs: number;
  readonly expiresAt: Date | null;
  /** Whether the account's prefix and suffix are added where the text lacks them. */
  readonly usePrefix: boolean;
  readonly useSuffix: boolean;
  readonly status: MessageStatus;
  readonly texting: boolean;
  readonly beganAt: Date | null;
  readonly endedAt: Date | null;
  /** Of a central campaign: when it was ordered to skip it where it has not begun. */
  readonly skippedAt: Date | null;
  readonly version: number;
}

/** What an owner gives of a message. */
export interface MessageContent {
  readonly text?: string;
  readonly mediaIds?: readonly string[];
  readonly schedule?: { readonly local: string; readonly zone: string } | null;
  readonly expiresAfterMs?: number;
  readonly usePrefix?: boolean;
  readonly useSuffix?: boolean;
}

const COLUMNS = [
  'id',
  'key',
  'campaign_id as campaignId',
  'position',
  'type',
  'text',
  'media_ids as mediaIds',
  'schedule_local as scheduleLocal',
  'schedule_zone as scheduleZone',
  'due_at as dueAt',
  'expires_after_ms as expiresAfterMs',
  'expires_at as expiresAt',
  'use_prefix as usePrefix',
  'use_suffix as useSuffix',
  'status',
  'texting',
  'began_at as beganAt',
  'ended_at as endedAt',
  'skipped_at as skippedAt',
  'version',
] as const;

/** The messages of a campaign in their order. */
export async function listMessages(trx: Trx, campaignId: string): Promise<Message[]> {
  return askForMessages(trx, { campaignId });
}

const askForMessages = prepareQuery((db, { campaignId }: { readonly campaignId: string }) =>
  db
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .select(COLUMNS)
    .orderBy('position')
    .compile(),
);

/** Adds a message after the others, with its gate. */
export async function insertMessage(
  trx: Trx,
  accountId: string,
  campaignId: string,
  content: MessageContent,
): Promise<string> {
  const id = newId('msg');
  const { last } = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .select((select) => select.fn.max('position').as('last'))
    .executeTakeFirstOrThrow();
  await trx
    .insertInto('messages')
    .values({
      id,
      account_id: accountId,
      campaign_id: campaignId,
      position: (last ?? 0) + 1,
      ...columnsOf(content),
    })
    .execute();
  await trx.insertInto('gates').values({ scope_id: id }).execute();
  return id;
}

/** Changes a message. Whether it may be changed is the caller's to know. */
export async function updateMessage(trx: Trx, id: string, content: MessageContent): Promise<void> {
  await trx
    .updateTable('messages')
    .set((set) => ({ ...columnsOf(content), version: set('version', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

/** Changes how long a message may still be sent after it is due; also while it runs. */
export async function updateExpiry(trx: Trx, message: Message, expiresAfterMs: number): Promise<void> {
  const shiftMs = expiresAfterMs - message.expiresAfterMs;
  await trx
    .updateTable('messages')
    .set((set) => ({
      expires_after_ms: expiresAfterMs,
      expires_at: message.expiresAt === null ? null : new Date(message.expiresAt.getTime() + shiftMs),
      version: set('version', '+', 1),
    }))
    .where('id', '=', message.id)
    .execute();
}

/** Removes a message of a draft and closes the gap that it leaves. */
export async function deleteMessage(trx: Trx, message: Message): Promise<void> {
  await trx.deleteFrom('messages').where('id', '=', message.id).execute();
  await trx.deleteFrom('gates').where('scope_id', '=', message.id).execute();
  await trx
    .updateTable('messages')
    .set((set) => ({ position: set('position', '-', 1) }))
    .where('campaign_id', '=', message.campaignId)
    .where('position', '>', message.position)
    .execute();
}

function columnsOf(content: MessageContent) {
  return {
    ...(content.text === undefined ? {} : { text: content.text }),
    ...(content.mediaIds === undefined ? {} : { media_ids: [...content.mediaIds] }),
    ...(content.expiresAfterMs === undefined ? {} : { expires_after_ms: content.expiresAfterMs }),
    ...(content.usePrefix === undefined ? {} : { use_prefix: content.usePrefix }),
    ...(content.useSuffix === undefined ? {} : { use_suffix: content.useSuffix }),
    ...(content.schedule === undefined
      ? {}
      : { schedule_local: content.schedule?.local ?? null, schedule_zone: content.schedule?.zone ?? null }),
  };
}
