import { type Static, Type } from 'typebox';
import type { Campaign } from '../../db/campaigns.ts';
import { TIMELINE_KINDS, type TimelineEvent } from '../../db/contact-timeline.ts';
import type { Trx } from '../../db/database.ts';
import { readSenderPaces } from '../../db/message-progress.ts';
import {
  type MessageStory,
  type Recipient,
  readRecipientStory,
  type UnknownStory,
} from '../../db/recipient-story.ts';
import { readReports } from '../../db/reports.ts';
import { suppressionsOf } from '../../db/suppressions.ts';
import { UNKNOWN_STATES } from '../../domain/carrier-list.ts';
import { describeErrorCode } from '../../domain/error-codes.ts';
import { nextOfRecipient, RECIPIENT_STATES, type RecipientFacts } from '../../domain/next-of-recipient.ts';
import { publicId } from '../../domain/public-id.ts';
import { reportOf } from '../../domain/report.ts';
import { gravestSuppression } from '../../domain/suppression.ts';
import { toOffsetString } from '../../domain/zoned-time.ts';
import { idOf, INSTANT, nullable, oneOf } from '../schemas/common.ts';
import { readCampaignParts, type ViewClock } from './campaign-view.ts';
import { readNext } from './next-view.ts';
import { KIND } from './suppression-view.ts';

const MONEY_OUTPUT = Type.Object({ amountMicro: Type.Integer(), currency: Type.Literal('USD') });

const UnknownOutput = Type.Object(
  {
    state: oneOf(UNKNOWN_STATES, {
      description:
        "open: the carrier's list has not told yet. absent: it does not have it. final: nothing will be told any more. accepted: something has proved it. superseded: an attempt after it has a result.",
    }),
    asks: Type.Integer({ description: 'How often the list has been asked.' }),
    askedAt: nullable(INSTANT),
    since: nullable(
      Type.String({ description: 'The time that was looked through, which is the post with a margin.' }),
    ),
    until: nullable(Type.String()),
    records: nullable(Type.Integer({ description: 'Texts to his number that the list has in this time.' })),
    explained: nullable(
      Type.Integer({ description: 'Those of them that are known to be of other attempts.' }),
    ),
    complete: nullable(Type.Boolean({ description: 'All pages were read.' })),
    verdict: nullable(
      Type.String({
        description: 'accepted, absent, too_early or unclear: it could mean more than one thing.',
      }),
    ),
    nextAskAt: nullable(INSTANT),
  },
  { description: "What the carrier's list has said of an attempt whose fate nobody knew." },
);

const StageOutput = Type.Object({
  stage: oneOf(['resolved', 'sent', 'final'], {
    description: 'resolved: an unknown attempt that turned out accepted.',
  }),
  status: Type.String({ examples: ['delivered'] }),
  reason: nullable(Type.String({ description: "The carrier's code." })),
  meaning: nullable(Type.String({ description: 'What the code means.' })),
  units: nullable(Type.Integer()),
  billed: nullable(MONEY_OUTPUT),
  at: INSTANT,
});

/** Everything about one recipient of a campaign. */
export const RecipientStoryOutput = Type.Object({
  id: Type.Integer({ description: 'His number within the audience, from 1.' }),
  campaignId: idOf('cmp'),
  contactId: Type.String(),
  number: nullable(Type.String({ description: 'E.164; null once he has been erased.' })),
  firstName: nullable(Type.String()),
  lastName: nullable(Type.String()),
  suppressedAs: nullable(KIND),
  messages: Type.Array(
    Type.Object({
      messageId: idOf('msg'),
      position: Type.Integer(),
      state: oneOf(RECIPIENT_STATES, { description: 'Where he stands with this message.' }),
      leftOut: nullable(Type.Object({ status: Type.String(), reason: nullable(Type.String()), at: INSTANT })),
      attempts: Type.Array(
        Type.Object({
          attempt: Type.Integer(),
          result: oneOf(['accepted', 'rejected', 'not_accepted', 'unknown'], {
            description: 'What is known of the request.',
          }),
          cause: nullable(Type.String()),
          carrierUuid: nullable(Type.String()),
          segments: Type.Integer(),
          cost: MONEY_OUTPUT,
          leasedAt: INSTANT,
          recordedAt: INSTANT,
          reports: Type.Array(StageOutput),
          unknown: nullable(UnknownOutput),
        }),
      ),
      next: Type.Object({
        what: Type.String(),
        at: nullable(
          Type.String({ description: 'At the earliest. Null: it waits for somebody, or is open.' }),
        ),
        why: Type.String(),
        ahead: nullable(Type.Integer({ description: 'How many come before him.' })),
      }),
    }),
  ),
});

/** What happened between the account and a contact. */
export const TimelineEventOutput = Type.Object({
  at: INSTANT,
  kind: oneOf(TIMELINE_KINDS, {
    description:
      'text: a request to the carrier. report: what the carrier said since. left_out: not texted. reply: what he wrote. suppression: one came or went.',
  }),
  campaign: nullable(Type.Object({ id: Type.String(), name: nullable(Type.String()) })),
  message: nullable(Type.Object({ id: Type.String(), position: Type.Integer() })),
  attempt: nullable(Type.Integer()),
  what: Type.String({ examples: ['accepted', 'delivered', 'skipped', 'stop', 'added opt_out'] }),
  reason: nullable(Type.String()),
  text: nullable(
    Type.String({
      description: 'Of a text, the message with its merge fields unfilled; of a reply, his words.',
    }),
  ),
});

/** Reads and shows all that is known of a recipient. */
export async function readRecipientView(
  trx: Trx,
  campaign: Campaign,
  him: Recipient,
  clock: ViewClock,
): Promise<Static<typeof RecipientStoryOutput>> {
  const { messages, holds } = await readCampaignParts(trx, campaign);
  const reports = await readReports(trx, campaign, messages);
  const reportFor = (message: { readonly id: string }) => reports.get(message.id) ?? reportOf(new Map(), 0);
  const next = await readNext(trx, { campaign, messages, holds, reportFor, clock });
  const suppressions = await suppressionsOf(trx, campaign.accountId, him.numberHash);
  const here = suppressions.filter(({ senderId }) => senderId === null || senderId === campaign.senderId);
  const suppressedAs = gravestSuppression(here.map(({ kind }) => kind));
  const paces =
    campaign.senderId === null ? new Map<string, never>() : await readSenderPaces(trx, campaign.senderId);
  const stories = await readRecipientStory(trx, campaign, messages, him.recipient);
  const instant = (at: Date): string => toOffsetString(at.getTime(), clock.timeZone);
  return {
    id: him.recipient,
    campaignId: campaign.id,
    contactId: publicId('con', String(him.contactId)),
    number: him.number,
    firstName: him.firstName,
    lastName: him.lastName,
    suppressedAs,
    messages: stories.map((story) => {
      const facts: RecipientFacts = {
        state: story.state,
        leftOutAs: suppressedAs ?? (him.hasContact ? null : 'contact_deleted'),
        ahead: story.ahead,
        triedAgainAt: story.triedAgainAt,
        unknownAs: story.attempts.at(-1)?.unknown?.state ?? null,
        perSecond: paces.get(story.message.mediaIds.length > 0 ? 'mms' : 'sms')?.perSecond ?? null,
      };
      const { position } = story.message;
      const messageFacts = next.facts.messages.find((message) => message.position === position);
      const step = next.messages.get(position) ?? next.campaign;
      if (messageFacts === undefined) throw new Error('A message has no facts.');
      const his = nextOfRecipient(next.facts, messageFacts, step, facts);
      return {
        ...storyView(story, instant),
        next: { ...his, at: his.at === null ? null : toOffsetString(his.at, clock.timeZone) },
      };
    }),
  };
}

function storyView({ message, state, attempts, outcomes }: MessageStory, instant: (at: Date) => string) {
  const [left] = outcomes.filter((outcome) => outcome.attempt === 0);
  return {
    messageId: message.id,
    position: message.position,
    state,
    leftOut:
      left === undefined ? null : { status: left.status, reason: left.reason, at: instant(left.recordedAt) },
    attempts: attempts.map(({ costMicroUsd, leasedAt, recordedAt, result, unknown, ...attempt }) => ({
      ...attempt,
      // These words are the only ones that this table holds.
      result: result as 'accepted' | 'rejected' | 'not_accepted' | 'unknown',
      cost: usd(costMicroUsd),
      leasedAt: instant(leasedAt),
      recordedAt: instant(recordedAt),
      unknown: unknown === null ? null : unknownView(unknown, instant),
      reports: outcomes
        .filter((outcome) => outcome.attempt === attempt.attempt)
        .map((outcome) => ({
          stage: outcome.stage as 'resolved' | 'sent' | 'final',
          status: outcome.status,
          reason: outcome.reason,
          meaning: outcome.reason === null ? null : describeErrorCode(outcome.reason).meaning,
          units: outcome.units,
          billed: outcome.billedMicroUsd === null ? null : usd(outcome.billedMicroUsd),
          at: instant(outcome.recordedAt),
        })),
    })),
  };
}

function unknownView(unknown: UnknownStory, instant: (at: Date) => string) {
  const { listedSince, listedUntil, askedAt, nextAskAt, listed, isComplete, state } = unknown;
  const shown = (at: Date | null): string | null => (at === null ? null : instant(at));
  return {
    state,
    asks: unknown.asks,
    askedAt: shown(askedAt),
    since: shown(listedSince),
    until: shown(listedUntil),
    records: listed,
    explained: unknown.explained,
    complete: isComplete,
    verdict: unknown.verdict,
    nextAskAt: state === 'open' || state === 'absent' ? instant(nextAskAt) : null,
  };
}

/** An event of a timeline as it is shown. */
export function timelineView(event: TimelineEvent): Static<typeof TimelineEventOutput> {
  const { campaignId, campaignName, messageId, position } = event;
  return {
    at: event.at.toISOString(),
    kind: event.kind,
    campaign: campaignId === null ? null : { id: campaignId, name: campaignName },
    message: messageId === null || position === null ? null : { id: messageId, position },
    attempt: event.attempt,
    what: event.what,
    reason: event.reason,
    text: event.text,
  };
}

function usd(amountMicro: number) {
  return { amountMicro, currency: 'USD' as const };
}
