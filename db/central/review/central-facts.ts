import { createHash } from 'node:crypto';
import type { CentralTiming } from '../../../domain/central/part-states.ts';
import type { PlannedMessage, ReviewOrder } from '../../../domain/review/planned-messages.ts';
import type { ReviewFacts } from '../../../domain/review/review-facts.ts';
import { findAccount } from '../../accounts.ts';
import type { Campaign } from '../../campaigns.ts';
import type { Trx } from '../../database.ts';
import type { Message } from '../../messages.ts';
import type { PartSettings } from './read-settings.ts';

/** What the review binds, over all accounts: a launch after a change of any of it has to be looked at again. */
export async function centralFacts(
  trx: Trx,
  {
    campaign,
    order,
    planned,
    settings,
    timing,
  }: {
    readonly campaign: Campaign;
    readonly order: ReviewOrder;
    readonly planned: readonly PlannedMessage<Message>[];
    readonly settings: readonly PartSettings[];
    readonly timing: CentralTiming;
  },
  totals: { readonly recipients: number; readonly costMicroUsd: number },
): Promise<ReviewFacts> {
  const parent = await findAccount(trx, campaign.accountId);
  const pairs = order.action === 'restart' ? 'fixed' : await readPairs(trx, campaign.presetId);
  return {
    action: order.action,
    content: hashOf({
      purpose: campaign.purpose,
      accounts: settings.map(({ accountId, name, senderName, prefix, suffix }) => [
        accountId,
        name,
        senderName,
        prefix,
        suffix,
      ]),
      messages: planned.map(({ message }) => {
        const { id, position, text, mediaIds, usePrefix, useSuffix } = message;
        return { id, position, text, mediaIds, usePrefix, useSuffix };
      }),
    }),
    schedule: hashOf({
      start: 'start' in order ? order.start : null,
      timing,
      messages: planned.map(({ message, schedule }) => [message.id, schedule, message.expiresAfterMs]),
    }),
    hours: hashOf([
      [parent?.timeZone, parent?.quietStart, parent?.quietEnd],
      ...settings.map((part) => [part.accountId, part.timeZone, part.quietHours.start, part.quietHours.end]),
    ]),
    sender: hashOf(settings.map((part) => [part.accountId, part.sender])),
    lists: hashOf([campaign.presetId, pairs]),
    ...totals,
  };
}

function readPairs(trx: Trx, presetId: string | null) {
  return trx
    .selectFrom('preset_pairs')
    .where('preset_id', '=', presetId)
    .select(['sub_account_id', 'list_id'])
    .orderBy('sub_account_id')
    .orderBy('list_id')
    .execute();
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}
