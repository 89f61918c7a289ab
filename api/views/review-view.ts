import { capBelow } from '../../domain/dispatch/quota.ts';
import type { Static } from 'typebox';
import type { Campaign } from '../../db/campaigns.ts';
import { openCarrierTroubles } from '../../db/carrier-alerts.ts';
import type { Trx } from '../../db/database.ts';
import { holdsOver } from '../../db/holds-over.ts';
import { inFlight } from '../../db/in-flight.ts';
import { readFieldCoverage } from '../../db/preview.ts';
import { countExcluded, type LeftOut } from '../../db/review/count-audience.ts';
import type { CampaignReview, MessageReview } from '../../db/review/read-review.ts';
import { countUnknowns } from '../../db/reconcile/unknowns.ts';
import { isSenderShared, spendLeft } from '../../db/review/review-settings.ts';
import { affixesOf, lackingAffixes, switchedOffAffixes } from '../../domain/affixes.ts';
import { messageWarnings, purposeOf } from '../../domain/content-check.ts';
import { publicId } from '../../domain/public-id.ts';
import {
  campaignWarnings,
  forecastWarnings,
  type ReviewWarning,
} from '../../domain/review/review-warnings.ts';
import { toOffsetString } from '../../domain/zoned-time.ts';
import type { ReviewOutput } from '../schemas/review-schemas.ts';

type View = Static<typeof ReviewOutput>;

/** A review as the API shows it, without what its token and refusals say. */
export async function readReviewView(
  trx: Trx,
  campaign: Campaign,
  review: CampaignReview,
  at: number,
): Promise<Omit<View, 'token' | 'tokenExpiresAt' | 'action' | 'refusals'>> {
  const excluded = await countExcluded(trx, campaign.id);
  const whole: LeftOut[] = [...review.leftOut];
  if (excluded.contactId !== null) {
    whole.push({ reason: 'excluded_list', count: excluded.count, contactId: excluded.contactId });
  }
  const numbers = await numbersOf(trx, [...whole, ...review.messages.flatMap((one) => one.leftOut)]);
  const leftOutView = (leftOut: readonly LeftOut[]): View['leftOut'] =>
    leftOut.map(({ reason, count, contactId }) => ({
      reason,
      count,
      example: { contactId: publicId('con', String(contactId)), number: numbers.get(contactId) ?? null },
    }));
  return {
    recipients: review.recipients,
    leftOut: leftOutView(whole),
    segments: review.segments,
    cost: { amountMicro: review.costMicroUsd, currency: 'USD' },
    estimated: review.sampled !== null,
    rendered: review.sampled,
    central: null,
    messages: review.messages.map((message) => messageView(message, review, leftOutView)),
    warnings: await warningsOf(trx, campaign, review, at),
  };
}

function messageView(
  { message, figures, leftOut, dueAt, expiresAt, forecast }: MessageReview,
  review: CampaignReview,
  leftOutView: (leftOut: readonly LeftOut[]) => View['leftOut'],
): View['messages'][number] {
  const { timeZone } = review.settings.account;
  const instant = (at: number): string => toOffsetString(at, timeZone);
  const orNull = (at: number | null | undefined): string | null =>
    at === null || at === undefined ? null : instant(at);
  const rollsOver = forecast?.rollsOver ?? null;
  const expires = forecast?.expires ?? null;
  return {
    messageId: message.id,
    position: message.position,
    recipients: figures.recipients,
    leftOut: leftOutView(leftOut),
    segments: figures.segments,
    cost: { amountMicro: figures.costMicroUsd, currency: 'USD' },
    dueAt: orNull(dueAt),
    startsAt: orNull(forecast?.startsAt),
    endsAt: orNull(forecast?.endsAt),
    expiresAt: orNull(expiresAt),
    rollsOver:
      rollsOver === null
        ? null
        : {
            why: rollsOver.why,
            count: rollsOver.count,
            closesAt: instant(rollsOver.closesAt),
            opensAt: instant(rollsOver.opensAt),
          },
    expires: expires === null ? null : { count: expires.count, at: instant(expires.at) },
  };
}

async function warningsOf(
  trx: Trx,
  campaign: Campaign,
  review: CampaignReview,
  at: number,
): Promise<ReviewWarning[]> {
  const { settings, messages } = review;
  const { account, sender } = settings;
  const coverage = await readFieldCoverage(trx, campaign);
  const ofMessages = messages.flatMap(({ message, forecast }): ReviewWarning[] => {
    const added = lackingAffixes(message.text, affixesOf(account, message));
    const own = messageWarnings({
      text: `${added.prefix}${message.text}${added.suffix}`,
      kind: message.mediaIds.length > 0 ? 'mms' : 'sms',
      isFirst: message.position === 1,
      purpose: purposeOf(campaign.purpose),
      fieldCoverage: coverage(message.text),
      switchedOff: switchedOffAffixes({ ...message, senderType: sender?.type ?? null, account }),
    });
    return [
      ...own.map((warning) => ({ ...warning, messageId: message.id })),
      ...(forecast === null ? [] : forecastWarnings(forecast, account.timeZone)),
    ];
  });
  const holds = await holdsOver(trx, campaign);
  return [
    ...campaignWarnings({
      texted: messages.reduce((sum, one) => sum + one.figures.recipients, 0),
      costMicroUsd: review.costMicroUsd,
      spendLeftMicroUsd: await spendLeft(trx, campaign.accountId, account, at),
      budgetLeftMicroUsd:
        campaign.budgetMicroUsd === null ? null : campaign.budgetMicroUsd - campaign.spentMicroUsd,
      dailyCap: capBelow(sender?.quotas ?? [], Math.max(0, ...messages.map(unitsOfMessage))),
      carrierTroubles: sender === null ? [] : await openCarrierTroubles(trx, sender.id),
      inFlight: await inFlight(trx, { scope: 'campaign', scopeId: campaign.id }),
      // What the restart itself lifts is no obstacle to it.
      holdReasons: holds.filter((hold) => hold.kind === 'hold').map((hold) => hold.reason),
      isSenderShared: await isSenderShared(trx, campaign, lastEnd(messages, at)),
    }),
    ...(await roundWarnings(trx, review)),
    ...ofMessages,
  ];
}

/** What a message takes of its sender's quotas. */
function unitsOfMessage({ message, figures }: MessageReview): number {
  return message.mediaIds.length > 0 ? figures.recipients : figures.segments;
}

/** What the owner of a round has to know before he orders it. */
async function roundWarnings(trx: Trx, review: CampaignReview): Promise<ReviewWarning[]> {
  if (review.facts.action !== 'resend_unknown') return [];
  const { unresolved } = await countUnknowns(
    trx,
    review.messages.map(({ message }) => message.key),
  );
  const warning = (code: string, message: string): ReviewWarning => ({
    code,
    message,
    messageId: null,
    subject: null,
  });
  return [
    warning('texted_twice', 'Nobody knows whether these have the text already; whoever has gets it twice.'),
    ...(unresolved === 0
      ? []
      : [
          warning(
            'unresolved',
            `The carrier's list is still to be asked about ${unresolved} of them. Wait a quarter of an hour, and fewer may be left.`,
          ),
        ]),
  ];
}

/** When the last message is done, as far as it is forecast. */
function lastEnd(messages: readonly MessageReview[], at: number): number {
  return Math.max(at, ...messages.flatMap(({ forecast }) => (forecast === null ? [] : [forecast.endsAt])));
}

async function numbersOf(trx: Trx, leftOut: readonly LeftOut[]): Promise<Map<number, string>> {
  const ids = [...new Set(leftOut.map((one) => one.contactId))];
  if (ids.length === 0) return new Map();
  const rows = await trx.selectFrom('contacts').where('id', 'in', ids).select(['id', 'number']).execute();
  return new Map(rows.map((row) => [row.id, row.number]));
}
