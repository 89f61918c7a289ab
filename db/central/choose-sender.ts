import { isRegistered } from '../../domain/registration.ts';
import type { Trx } from '../database.ts';

/** A campaign of this transaction's account, at an instant of campaign time. */
interface PartAt {
  readonly campaignId: string;
  readonly at: number;
}

/**
 * Chooses a part's sender, which nobody of the account has chosen: the account's default, else its oldest, of those that
 * may send what the part holds. Once somebody was leased the choice stands. `not_to_be_chosen` also for a campaign that is
 * no part: its sender was chosen by its owner.
 */
export async function chooseSender(
  trx: Trx,
  { campaignId, at }: PartAt,
): Promise<'chosen' | 'none' | 'not_to_be_chosen'> {
  const part = await trx
    .selectFrom('campaigns as c')
    .innerJoin('accounts as a', 'a.id', 'c.account_id')
    .where('c.id', '=', campaignId)
    .where('c.central_id', 'is not', null)
    .where('c.ever_leased', '=', false)
    .select('a.default_sender_id as defaultSenderId')
    .executeTakeFirst();
  if (part === undefined) return 'not_to_be_chosen';
  const withMedia = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .where('media_tokens', 'is not', null)
    .select('id')
    .limit(1)
    .executeTakeFirst();
  const senders = await trx
    .selectFrom('senders')
    .where('disabled_at', 'is', null)
    .select([
      'id',
      'registration',
      'registration_expires_on as registrationExpiresOn',
      'supports_mms as supportsMms',
    ])
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  const fit = senders.filter(
    (sender) => isRegistered(sender, at) && (sender.supportsMms || withMedia === undefined),
  );
  const chosen = fit.find((sender) => sender.id === part.defaultSenderId) ?? fit[0];
  if (chosen === undefined) return 'none';
  await trx.updateTable('campaigns').set({ sender_id: chosen.id }).where('id', '=', campaignId).execute();
  return 'chosen';
}
