import { type ExpressionBuilder, sql } from 'kysely';
import type { PostId } from '../domain/callback-path.ts';
import { isSpamming, SPAM_WINDOW_MS } from '../domain/spam.ts';
import { type Db, type Trx, withAccount } from './database.ts';
import type { Database } from './schema.ts';
import { suspendCampaign } from './suspend-campaign.ts';

/** How many final reports of a lease came in, and how many of them told of spam. */
export interface LeaseReports {
  readonly accountId: string;
  readonly post: Pick<PostId, 'month' | 'leaseId'>;
  readonly finals: number;
  readonly spam: number;
}

/** Counts final reports by sender, and suspends what is being sent from one that is reported as spam too often. */
export async function countSenderReports(db: Db, reports: readonly LeaseReports[]): Promise<void> {
  const rows = reports.map(({ accountId, post, finals, spam }) => ({
    account: accountId,
    month: post.month,
    lease: post.leaseId,
    finals,
    spam,
  }));
  const seen = await sql<{ accountId: string; senderId: string; finals: number; spam: number }>`
    select account_id as "accountId", sender_id as "senderId", finals, spam
    from count_sender_reports(${JSON.stringify(rows)}::jsonb, ${SPAM_WINDOW_MS}::int)`.execute(db);
  for (const sender of seen.rows.filter(isSpamming)) {
    await withAccount(db, sender.accountId, (trx) => suspendSending(trx, sender));
  }
}

/**
 * One after the other, in the order of their ids, as everybody locks several campaigns. One that is paused while it is
 * being sent would else go on unasked once what pauses it is lifted.
 */
async function suspendSending(
  trx: Trx,
  { accountId, senderId }: { readonly accountId: string; readonly senderId: string },
): Promise<void> {
  const sending = await trx
    .selectFrom('campaigns')
    .where('sender_id', '=', senderId)
    .where(textsByItself)
    .where((campaign) =>
      campaign.or([
        campaign('status', 'in', ['started', 'sending']),
        campaign.and([
          campaign('status', '=', 'paused'),
          campaign.exists((messages) =>
            messages
              .selectFrom('messages')
              .whereRef('campaign_id', '=', 'campaigns.id')
              .where('messages.status', '=', 'sending'),
          ),
        ]),
      ]),
    )
    .select('id')
    .orderBy('id')
    .forUpdate()
    .execute();
  for (const { id } of sending) await suspendCampaign(trx, { accountId, campaignId: id }, 'spam');
}

/** A central campaign has a sender for its tests only. */
function textsByItself(where: ExpressionBuilder<Database, 'campaigns'>) {
  return where.or([where('kind', '=', 'standard'), where('central_id', 'is not', null)]);
}

/** Whether the campaign's sender is still reported as spam too often. */
export async function senderIsSpamming(trx: Trx, campaignId: string): Promise<boolean> {
  const { rows } = await sql<{ finals: number; spam: number }>`
    select coalesce(sum(r.finals), 0)::int as finals, coalesce(sum(r.spam), 0)::int as spam
    from campaigns c join sender_reports r on r.sender_id = c.sender_id
    where c.id = ${campaignId} and (c.kind = 'standard' or c.central_id is not null)
      and r.minute >= clock_timestamp() - ${SPAM_WINDOW_MS} * interval '1 millisecond'`.execute(trx);
  return rows[0] !== undefined && isSpamming(rows[0]);
}
