import { createHash } from 'node:crypto';
import type { PlannedMessage, ReviewOrder } from '../../domain/review/planned-messages.ts';
import type { ReviewFacts } from '../../domain/review/review-facts.ts';
import type { Campaign } from '../campaigns.ts';
import type { Message } from '../messages.ts';
import type { ReviewSettings } from './review-settings.ts';

/** What a review binds. Texts are kept as hashes, so that a review keeps nothing that somebody may have to erase. */
export function factsOf(
  campaign: Campaign,
  order: ReviewOrder,
  planned: readonly PlannedMessage<Message>[],
  { account, sender }: ReviewSettings,
  recipients: number,
  costMicroUsd: number,
): ReviewFacts {
  const { name, senderName, prefix, suffix } = account;
  return {
    action: order.action,
    content: hashOf({
      purpose: campaign.purpose,
      account: { name, senderName, prefix, suffix },
      messages: planned.map(({ message }) => {
        const { id, position, text, mediaIds, usePrefix, useSuffix } = message;
        return { id, position, text, mediaIds, usePrefix, useSuffix };
      }),
    }),
    schedule: hashOf({
      start: 'start' in order ? order.start : null,
      audience: campaign.audienceTiming,
      messages: planned.map(({ message, schedule }) => ({
        id: message.id,
        schedule: schedule === null ? null : [schedule.local, schedule.zone],
        expiresAfterMs: message.expiresAfterMs,
      })),
    }),
    hours: hashOf([account.timeZone, account.quietHours.start, account.quietHours.end]),
    sender: hashOf(sender),
    lists: hashOf([campaign.listIds, campaign.excludedListIds]),
    recipients,
    costMicroUsd,
  };
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}
