import {
  CARRIER_SILENT,
  type CarrierStanding,
  isAskedOfCarrier,
  persistsByCarrier,
} from '../domain/carrier-standing.ts';
import type { SuspendCause } from '../domain/dispatch/dispatch-store.ts';
import { costMicroUsd } from '../domain/rates.ts';
import { isRegistered } from '../domain/registration.ts';
import { isSuspendCause, SUSPENSIONS } from '../domain/suspension.ts';
import { monthOf } from '../domain/zoned-time.ts';
import { senderIsSpamming } from './sender-reports.ts';
import { chooseSender } from './central/choose-sender.ts';
import { isLeftAlone } from './circuits.ts';
import type { Trx } from './database.ts';

/** A cause that still holds, and what mends it, as a sentence. */
export interface PersistingCause {
  readonly cause: SuspendCause | 'carrier_silent';
  readonly reason: string;
}

/** A suspension as its hold knows it. */
interface Suspended {
  readonly cause: string | null;
  readonly reason: string;
  /** What the text costs for which there was no money; null where that is not known. */
  readonly textMicroUsd: number | null;
}

/** What is asked of every campaign: those that were not sending when the reports came have no hold of them. */
const SPAM: Suspended = {
  cause: 'spam',
  reason: `${SUSPENSIONS.spam.reason} ${SUSPENSIONS.spam.remedy}`,
  textMicroUsd: null,
};

/**
 * Why the campaign must not be resumed or restarted now: the cause of a suspension that still holds, or a sender that is
 * reported as spam too often; null when it may be. `standingOf` has the carrier's word on its account, for what only
 * the carrier can tell; null leaves that open.
 */
export async function persistingCause(
  trx: Trx,
  accountId: string,
  campaignId: string,
  at: number,
  standingOf: (carrierAccountId: string) => CarrierStanding | null,
): Promise<PersistingCause | null> {
  const holds: Suspended[] = await trx
    .selectFrom('holds')
    .where('scope_id', '=', campaignId)
    .where('kind', '=', 'suspend')
    .where('lifted_at', 'is', null)
    .select(['cause', 'reason', 'text_micro_usd as textMicroUsd'])
    .execute();
  const campaign = { accountId, campaignId, at };
  // What this database can tell comes first: the carrier is asked only where nothing else refuses.
  for (const hold of [...holds, SPAM]) {
    const { cause, reason } = hold;
    if (!isSuspendCause(cause)) continue;
    if (await isPersisting(trx, cause, campaign, hold)) return { cause, reason };
  }
  const asked = holds.filter(({ cause }) => isAskedOfCarrier(cause));
  return asked.length === 0 ? null : persistingAtCarrier(trx, campaign, asked, standingOf);
}

interface CampaignAt {
  readonly accountId: string;
  readonly campaignId: string;
  /** Campaign time. */
  readonly at: number;
}

async function persistingAtCarrier(
  trx: Trx,
  campaign: CampaignAt,
  holds: readonly Suspended[],
  standingOf: (carrierAccountId: string) => CarrierStanding | null,
): Promise<PersistingCause | null> {
  const { carrierAccountId } = await trx
    .selectFrom('campaigns as c')
    .innerJoin('senders as s', 's.id', 'c.sender_id')
    .where('c.id', '=', campaign.campaignId)
    .select('s.carrier_account_id as carrierAccountId')
    .executeTakeFirstOrThrow();
  const standing = standingOf(carrierAccountId);
  if (standing === null) return null;
  const refused = holds.find((hold) => hold.textMicroUsd !== null);
  const cause = persistsByCarrier(standing, await costOfText(trx, campaign, refused));
  if (cause === null) return null;
  if (cause === 'carrier_silent') return { cause, reason: CARRIER_SILENT };
  const { reason, remedy } = SUSPENSIONS[cause];
  return { cause, reason: `${reason} ${remedy}` };
}

async function isPersisting(
  trx: Trx,
  cause: SuspendCause,
  campaign: CampaignAt,
  hold: Suspended,
): Promise<boolean> {
  const { campaignId, at } = campaign;
  switch (cause) {
    case 'spend_limit':
      return spendIsReached(trx, campaign, hold);
    case 'campaign_budget':
      return budgetIsReached(trx, campaign, hold);
    case 'spam':
      return senderIsSpamming(trx, campaignId);
    case 'carrier_down':
      return isLeftAlone(trx, campaignId);
    case 'no_sender':
      return (await chooseSender(trx, { campaignId, at })) === 'none';
    case 'sender_disabled':
    case 'registration_lapsed':
      return (await senderCause(trx, campaignId, at)) === cause;
    case 'list_gone':
      return aListIsGone(trx, campaignId);
    case 'credit':
    case 'credentials':
    case 'carrier_disabled':
      return false;
  }
}

/**
 * Why a campaign that nothing holds has to be suspended because of what it names: its sender, and its lists as long as
 * the audience has to be frozen from them. Null when all is well. A part whose sender may not send is given another one
 * of its account's, if there is one.
 */
export async function outsideCause(trx: Trx, campaignId: string, at: number): Promise<SuspendCause | null> {
  const cause = await senderCause(trx, campaignId, at);
  if (cause !== null) {
    const choice = await chooseSender(trx, { campaignId, at });
    if (choice !== 'chosen') return choice === 'none' ? 'no_sender' : cause;
  }
  const thawed = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .where('audience_frozen_at', 'is', null)
    // Somebody was leased of the audience as it is, which stays.
    .where('ever_leased', '=', false)
    .select('id')
    .executeTakeFirst();
  return thawed !== undefined && (await aListIsGone(trx, campaignId)) ? 'list_gone' : null;
}

async function senderCause(
  trx: Trx,
  campaignId: string,
  at: number,
): Promise<'sender_disabled' | 'registration_lapsed' | null> {
  const sender = await trx
    .selectFrom('campaigns as c')
    .innerJoin('senders as s', 's.id', 'c.sender_id')
    .where('c.id', '=', campaignId)
    .select([
      's.disabled_at as disabledAt',
      's.registration',
      's.registration_expires_on as registrationExpiresOn',
    ])
    .executeTakeFirst();
  if (sender === undefined || sender.disabledAt !== null) return 'sender_disabled';
  return isRegistered(sender, at) ? null : 'registration_lapsed';
}

async function aListIsGone(trx: Trx, campaignId: string): Promise<boolean> {
  const gone = await trx
    .selectFrom('campaign_lists as c')
    .leftJoin('lists as l', 'l.id', 'c.list_id')
    .where('c.campaign_id', '=', campaignId)
    .where('c.excluded', '=', false)
    .where('l.id', 'is', null)
    .select('c.list_id')
    .limit(1)
    .executeTakeFirst();
  return gone !== undefined;
}

async function spendIsReached(trx: Trx, campaign: CampaignAt, hold: Suspended): Promise<boolean> {
  const { accountId, at } = campaign;
  const account = await trx
    .selectFrom('accounts')
    .where('id', '=', accountId)
    .select(['spend_limit_micro_usd as limit', 'time_zone as timeZone'])
    .executeTakeFirstOrThrow();
  if (account.limit === null) return false;
  const spend = await trx
    .selectFrom('spend_months')
    .where('account_id', '=', accountId)
    .where('month', '=', monthOf(at, account.timeZone))
    .select('spent_micro_usd as spent')
    .executeTakeFirst();
  // A limit that leaves less than the next text costs would suspend the campaign again at once.
  return (spend?.spent ?? 0) + (await costOfText(trx, campaign, hold)) > account.limit;
}

async function budgetIsReached(trx: Trx, campaign: CampaignAt, hold: Suspended): Promise<boolean> {
  const { budget, spent } = await trx
    .selectFrom('campaign_spends')
    .where('campaign_id', '=', campaign.campaignId)
    .select(['budget_micro_usd as budget', 'spent_micro_usd as spent'])
    .executeTakeFirstOrThrow();
  return budget !== null && spent + (await costOfText(trx, campaign, hold)) > budget;
}

/** The cost of the text that was refused; where it is not known, of the shortest one from the campaign's sender. */
async function costOfText(
  trx: Trx,
  { accountId, campaignId, at }: CampaignAt,
  hold: Suspended | undefined,
): Promise<number> {
  if (hold !== undefined && hold.textMicroUsd !== null) return hold.textMicroUsd;
  const { type, country } = await trx
    .selectFrom('campaigns as c')
    .innerJoin('senders as s', 's.id', 'c.sender_id')
    .innerJoin('accounts as a', 'a.id', 'c.account_id')
    .where('c.id', '=', campaignId)
    .where('a.id', '=', accountId)
    .select(['s.type', 'a.default_country as country'])
    .executeTakeFirstOrThrow();
  return costMicroUsd({ country, senderType: type, kind: 'sms', segments: 1, at });
}
