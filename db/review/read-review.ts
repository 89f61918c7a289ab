import { affixesOf } from '../../domain/affixes.ts';
import { forecastCapOf, paceWithin } from '../../domain/dispatch/quota.ts';
import { sendingMs } from '../../domain/dispatch/pace.ts';
import {
  type ForecastCap,
  forecastOf,
  type ForecastJob,
  type MessageForecast,
} from '../../domain/forecast.ts';
import type { MessageFigures, ReviewedMessage } from '../../domain/review/message-figures.ts';
import {
  plannedMessages,
  type PlannedMessage,
  type ReviewOrder,
} from '../../domain/review/planned-messages.ts';
import type { ReviewFacts } from '../../domain/review/review-facts.ts';
import { isRoundKind } from '../../domain/round.ts';
import { FREEZE_LEAD_MS } from '../../domain/schedule.ts';
import { isConstant, parseTemplate, type Template } from '../../domain/template.ts';
import { prepareForWholeAudience, returnToDefaultPlans } from '../audience.ts';
import type { Campaign } from '../campaigns.ts';
import type { Trx } from '../database.ts';
import { type Message, listMessages } from '../messages.ts';
import {
  audienceOfRound,
  type AudienceSource,
  listedAudience,
  remainingAudience,
} from './audience-source.ts';
import { type LeftOut, countAudience } from './count-audience.ts';
import { type AudienceFigures, readFigures } from './read-figures.ts';
import { factsOf } from './facts-of-review.ts';
import { type ReviewSettings, readReviewSettings } from './review-settings.ts';

/** One message of a review. */
export interface MessageReview {
  readonly message: Message;
  readonly figures: MessageFigures;
  /** Who does not get it, for reasons of his own and of the text's. */
  readonly leftOut: readonly LeftOut[];
  /** Campaign time in epoch milliseconds; null while it has no schedule. */
  readonly dueAt: number | null;
  readonly expiresAt: number | null;
  readonly forecast: MessageForecast | null;
}

/** What an order would do. */
export interface CampaignReview {
  /** Whom the audience holds, before anybody is left out. */
  readonly recipients: number;
  readonly leftOut: readonly LeftOut[];
  readonly messages: readonly MessageReview[];
  readonly segments: number;
  readonly costMicroUsd: number;
  /** Null when everything is exact, else how many people were rendered for the estimate. */
  readonly sampled: number | null;
  readonly settings: ReviewSettings;
  readonly facts: ReviewFacts;
}

/**
 * What an order would do with a campaign as it stands: the same query as the freeze, the same reasons and the same
 * rendering as a lease. Takes seconds for a million contacts. `at` is campaign time.
 */
export async function readReview(
  trx: Trx,
  campaign: Campaign,
  order: ReviewOrder,
  at: number,
): Promise<CampaignReview> {
  const settings = await readReviewSettings(trx, campaign);
  const planned = plannedMessages(order, await listMessages(trx, campaign.id), at);
  await prepareForWholeAudience(trx);
  const { figures, whole } = await readAllFigures(trx, campaign, order, planned, settings, at);
  await returnToDefaultPlans(trx);
  const forecasts = forecastsOf(planned, figures, settings, at);
  const messages = planned.map(({ message, dueAt }, index): MessageReview => {
    const own = figures[index];
    if (own === undefined) throw new Error('A planned message has no figures.');
    return {
      message,
      figures: own.message,
      leftOut: [...own.counts.leftOut, ...own.message.refused],
      dueAt,
      expiresAt: dueAt === null ? null : dueAt + message.expiresAfterMs,
      forecast: forecasts.find((forecast) => forecast.messageId === message.id) ?? null,
    };
  });
  const sampled = figures.flatMap((one) => (one.sampled === null ? [] : [one.sampled]));
  const totals = {
    segments: messages.reduce((sum, one) => sum + one.figures.segments, 0),
    costMicroUsd: messages.reduce((sum, one) => sum + one.figures.costMicroUsd, 0),
  };
  return {
    recipients: whole.recipients,
    leftOut: whole.leftOut,
    messages,
    ...totals,
    sampled: sampled.length === 0 ? null : Math.min(...sampled),
    settings,
    facts: factsOf(campaign, order, planned, settings, whole.recipients, totals.costMicroUsd),
  };
}

interface OwnFigures {
  readonly message: MessageFigures;
  readonly counts: AudienceFigures['counts'];
  readonly sampled: number | null;
}

async function readAllFigures(
  trx: Trx,
  campaign: Campaign,
  order: ReviewOrder,
  planned: readonly PlannedMessage<Message>[],
  settings: ReviewSettings,
  at: number,
): Promise<{ readonly figures: readonly OwnFigures[]; readonly whole: AudienceFigures['counts'] }> {
  const { accountId, senderId } = campaign;
  const audienceOf = (source: AudienceSource) => ({
    source,
    accountId,
    senderId,
    countries: settings.account.countries,
  });
  const reviewed = planned.map(({ message, dueAt }) => reviewedMessage(message, settings, dueAt ?? at));
  const month = frozenMonth(campaign, planned, settings, at);
  if (month === null) {
    const audience = audienceOf(listedAudience(campaign.id));
    const { counts, messages, sampled } = await readFigures(trx, audience, reviewed, settings.account);
    return { figures: messages.map((message) => ({ message, counts, sampled })), whole: counts };
  }
  const rest = (messages: readonly PlannedMessage<Message>[]) =>
    audienceOf(
      leftFor(order, { key: campaign.key, month, messageKeys: messages.map((one) => one.message.key) }),
    );
  const figures = new Map<string, OwnFigures>();
  for (const together of await sameRest(trx, planned)) {
    const own = together.map((one) => reviewed[planned.indexOf(one)]).filter((one) => one !== undefined);
    const { counts, messages, sampled } = await readFigures(trx, rest(together), own, settings.account);
    for (const [index, message] of messages.entries()) {
      figures.set(together[index]?.message.id ?? '', { message, counts, sampled });
    }
  }
  const { counts: whole } = await countAudience(trx, rest(planned));
  return { figures: planned.flatMap((one) => figures.get(one.message.id) ?? []), whole };
}

/** Whom an order would text of a frozen audience. */
function leftFor(order: ReviewOrder, of: Parameters<typeof remainingAudience>[0]): AudienceSource {
  return isRoundKind(order.action) ? audienceOfRound(order.action, of) : remainingAudience(of);
}

/** Messages of which nobody was leased have the whole audience left and are counted together, others each by itself. */
async function sameRest(
  trx: Trx,
  planned: readonly PlannedMessage<Message>[],
): Promise<PlannedMessage<Message>[][]> {
  if (planned.length === 0) return [];
  const touched = await trx
    .selectFrom('waves')
    .where(
      'message_key',
      'in',
      planned.map((one) => one.message.key),
    )
    .where((where) => where.or([where('next_ordinal', '>', 0), where('wave', '>', 0)]))
    .select('message_key as key')
    .distinct()
    .execute();
  const isTouched = (one: PlannedMessage<Message>): boolean =>
    touched.some((row) => row.key === one.message.key);
  const untouched = planned.filter((one) => !isTouched(one));
  return [...(untouched.length === 0 ? [] : [untouched]), ...planned.filter(isTouched).map((one) => [one])];
}

/** The ledger's month of the audience that stays as it was frozen, or null when it would be frozen anew. */
function frozenMonth(
  campaign: Campaign,
  planned: readonly PlannedMessage<Message>[],
  settings: ReviewSettings,
  at: number,
): string | null {
  if (campaign.audienceFrozenAt === null) return null;
  const firstDueAt = Math.min(...planned.map((one) => one.dueAt ?? Number.POSITIVE_INFINITY));
  const isKept =
    campaign.everLeased || campaign.audienceTiming === 'launch' || firstDueAt - FREEZE_LEAD_MS <= at;
  return isKept ? settings.audienceMonth : null;
}

function reviewedMessage(message: Message, settings: ReviewSettings, at: number): ReviewedMessage {
  return {
    template: templateOf(message),
    affixes: affixesOf(settings.account, message),
    kind: kindOf(message),
    senderType: settings.sender?.type ?? 'long_code',
    at,
  };
}

function templateOf(message: Message): Template {
  const parsed = parseTemplate(message.text);
  // A text is checked when it is given, so a malformed one is not stored.
  if (parsed.kind === 'malformed') throw new Error('A stored message is malformed.');
  return parsed.template;
}

function kindOf(message: Message): 'sms' | 'mms' {
  return message.mediaIds.length > 0 ? 'mms' : 'sms';
}

function forecastsOf(
  planned: readonly PlannedMessage<Message>[],
  figures: readonly OwnFigures[],
  settings: ReviewSettings,
  at: number,
): MessageForecast[] {
  const jobs = planned.flatMap(({ message, dueAt }, index): ForecastJob[] => {
    const own = figures[index]?.message;
    if (dueAt === null || own === undefined) return [];
    const kind = kindOf(message);
    const { sender, account } = settings;
    return [
      {
        messageId: message.id,
        kind,
        dueAt,
        expiresAt: dueAt + message.expiresAfterMs,
        timeZone: account.timeZone,
        quietHours: account.quietHours,
        recipients: own.recipients,
        units: kind === 'mms' ? own.recipients : own.segments,
        workMs: sendingMs({
          recipients: own.recipients,
          units: kind === 'mms' ? own.recipients : own.segments,
          pace: paceWithin(
            (kind === 'mms' ? sender?.mmsPerSecond : sender?.segmentsPerSecond) ?? null,
            sender?.quotas ?? [],
          ),
          isSameForAll: isConstant(templateOf(message)),
          limit: settings.limit,
        }),
      },
    ];
  });
  const caps = (settings.sender?.quotas ?? []).flatMap((quota): ForecastCap[] => {
    const use = settings.quotaUses.get(quota.id);
    const cap = use === undefined ? null : forecastCapOf(quota, use, at);
    return cap === null ? [] : [cap];
  });
  return forecastOf(at, jobs, caps);
}
