import type { Quota, QuotaUse } from '../../domain/dispatch/quota.ts';
import type { RequestLimit } from '../../domain/dispatch/pace.ts';
import type { QuietHours } from '../../domain/quiet-hours.ts';
import type { SenderType } from '../../domain/sender.ts';
import { monthOf } from '../../domain/zoned-time.ts';
import type { Campaign } from '../campaigns.ts';
import type { Trx } from '../database.ts';
import { quotasOfSender } from '../quotas.ts';

/** What a review looks at besides the campaign itself. */
export interface ReviewSettings {
  readonly account: {
    readonly name: string;
    readonly senderName: string;
    readonly prefix: string;
    readonly suffix: string;
    readonly timeZone: string;
    readonly quietHours: QuietHours;
    readonly countries: readonly string[];
    readonly spendLimitMicroUsd: number | null;
  };
  /** Null while a draft has none. */
  readonly sender: {
    readonly id: string;
    readonly address: string;
    readonly type: SenderType;
    readonly registration: string;
    readonly isDisabled: boolean;
    readonly supportsMms: boolean;
    readonly segmentsPerSecond: number | null;
    readonly mmsPerSecond: number | null;
    readonly quotas: readonly Quota[];
  } | null;
  /** What has been used of the sender's quotas; it changes with every text, and is no part of what a review binds. */
  readonly quotaUses: ReadonlyMap<string, QuotaUse>;
  /** The carrier account's limit of requests. */
  readonly limit: RequestLimit;
  /** The ledger's month of a frozen audience. */
  readonly audienceMonth: string | null;
}

/** Reads what a campaign's review depends on. */
export async function readReviewSettings(trx: Trx, campaign: Campaign): Promise<ReviewSettings> {
  const account = await trx
    .selectFrom('accounts')
    .where('id', '=', campaign.accountId)
    .select([
      'name',
      'sender_name as senderName',
      'prefix',
      'suffix',
      'time_zone as timeZone',
      'quiet_start as start',
      'quiet_end as end',
      'countries',
      'spend_limit_micro_usd as spendLimitMicroUsd',
    ])
    .executeTakeFirstOrThrow();
  const { audienceMonth } = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaign.id)
    .select('audience_month as audienceMonth')
    .executeTakeFirstOrThrow();
  const { start, end, ...rest } = account;
  const ofSender = await readSender(trx, campaign.senderId);
  return { account: { ...rest, quietHours: { start, end } }, ...ofSender, audienceMonth };
}

async function readSender(
  trx: Trx,
  senderId: string | null,
): Promise<Pick<ReviewSettings, 'sender' | 'limit' | 'quotaUses'>> {
  const row = await trx
    .selectFrom('senders as s')
    .innerJoin('carrier_accounts as c', 'c.id', 's.carrier_account_id')
    .where('s.id', '=', senderId)
    .select([
      's.id',
      's.address',
      's.type',
      's.registration',
      's.disabled_at as disabledAt',
      's.supports_mms as supportsMms',
      's.segments_per_second as segmentsPerSecond',
      's.mms_per_second as mmsPerSecond',
      'c.requests_max as requestsMax',
      'c.requests_window_ms as windowMs',
    ])
    .executeTakeFirst();
  if (row === undefined) {
    return { sender: null, quotaUses: new Map(), limit: { requestsMax: 0, windowMs: 0 } };
  }
  const { requestsMax, windowMs, disabledAt, ...sender } = row;
  const kept = await quotasOfSender(trx, sender.id);
  const quotas = kept.map(({ use: _use, createdAt: _createdAt, version: _version, ...quota }) => quota);
  return {
    sender: { ...sender, isDisabled: disabledAt !== null, quotas },
    quotaUses: new Map(kept.map(({ id, use }) => [id, use])),
    limit: { requestsMax, windowMs },
  };
}

/** What the account may still spend in the month of this instant; null without a limit. */
export async function spendLeft(
  trx: Trx,
  accountId: string,
  account: Pick<ReviewSettings['account'], 'timeZone' | 'spendLimitMicroUsd'>,
  at: number,
): Promise<number | null> {
  if (account.spendLimitMicroUsd === null) return null;
  const month = await trx
    .selectFrom('spend_months')
    .where('account_id', '=', accountId)
    .where('month', '=', monthOf(at, account.timeZone))
    .select('spent_micro_usd as spent')
    .executeTakeFirst();
  return account.spendLimitMicroUsd - (month?.spent ?? 0);
}

/** Whether another campaign of the sender is under way, or begins until then (campaign time), and shares its pace. */
export async function isSenderShared(trx: Trx, campaign: Campaign, until: number): Promise<boolean> {
  const other = await trx
    .selectFrom('campaigns')
    .where('sender_id', '=', campaign.senderId)
    .where('id', '<>', campaign.id)
    // A central campaign has a sender for tests alone.
    .where((where) => where.or([where('kind', '=', 'standard'), where('central_id', 'is not', null)]))
    .where('deleted_at', 'is', null)
    .where((where) =>
      where.or([
        where('status', 'in', ['processing', 'started', 'sending']),
        where('status', '=', 'scheduled').and('first_due_at', '<=', new Date(until)),
      ]),
    )
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return other !== undefined;
}
