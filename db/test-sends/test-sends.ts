import { sql } from 'kysely';
import type { TestState } from '../../domain/test-send.ts';
import type { Db, Trx } from '../database.ts';
import { newId } from '../ids.ts';
import type { RunWanted } from '../repair.ts';

/** A message that was sent on trial to one test number. */
export interface TestSend {
  readonly id: string;
  readonly key: number;
  readonly messageId: string;
  readonly contactId: number | null;
  /** E.164; null once its owner has been erased. */
  readonly number: string | null;
  readonly segments: number;
  readonly costMicroUsd: number;
  readonly inQuietHours: boolean;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly state: TestState;
  readonly cause: string | null;
  readonly errorCode: string | null;
}

/** What one test number is to get. */
export interface NewTestSend {
  readonly accountId: string;
  readonly campaignId: string;
  readonly messageId: string;
  readonly senderId: string;
  readonly contactId: number | null;
  readonly number: string;
  readonly numberHash: Buffer;
  readonly country: string;
  readonly kind: 'sms' | 'mms';
  readonly text: string;
  readonly mediaIds: readonly string[];
  readonly segments: number;
  readonly costMicroUsd: number;
  readonly inQuietHours: boolean;
  readonly requestedBy: string;
}

const COLUMNS = [
  'id',
  'key',
  'message_id as messageId',
  'contact_id as contactId',
  'number',
  'segments',
  'cost_micro_usd as costMicroUsd',
  'in_quiet_hours as inQuietHours',
  'requested_by as requestedBy',
  'requested_at as requestedAt',
  'cause',
  'error_code as errorCode',
] as const;

/** Writes what is to be sent, before anybody may send it. Resolves with its id. */
export async function insertTestSend(trx: Trx, test: NewTestSend): Promise<string> {
  const id = newId('tst');
  await trx
    .insertInto('test_sends')
    .values({
      id,
      account_id: test.accountId,
      campaign_id: test.campaignId,
      message_id: test.messageId,
      sender_id: test.senderId,
      contact_id: test.contactId,
      number: test.number,
      number_hash: test.numberHash,
      country: test.country,
      kind: test.kind,
      text: test.text,
      media_ids: [...test.mediaIds],
      segments: test.segments,
      cost_micro_usd: test.costMicroUsd,
      in_quiet_hours: test.inQuietHours,
      requested_by: test.requestedBy,
    })
    .execute();
  return id;
}

/** Tests of a message, the newest first, from below a key on. */
export async function listTestSends(
  trx: Trx,
  messageId: string,
  page: { readonly below: number; readonly limit: number },
): Promise<TestSend[]> {
  return trx
    .selectFrom('test_sends')
    .where('message_id', '=', messageId)
    .where('key', '<', page.below)
    .select(COLUMNS)
    .select(sql<TestState>`coalesce(outcome, state)`.as('state'))
    .orderBy('key', 'desc')
    .limit(page.limit)
    .execute();
}

/** Tests of all accounts that have been ordered and not answered. */
export async function testSendsToRun(db: Db, howMany: number): Promise<RunWanted[]> {
  const rows = await sql<RunWanted>`
    select id, account_id as "accountId" from test_sends_to_run(${howMany})`.execute(db);
  return rows.rows;
}
