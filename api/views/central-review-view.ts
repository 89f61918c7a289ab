import type { Static } from 'typebox';
import type { Campaign } from '../../db/campaigns.ts';
import type { CentralReview } from '../../db/central/review/read-central-review.ts';
import { PART_REFUSALS, PART_WARNINGS, type PartReview } from '../../domain/central/part-review.ts';
import { toOffsetString } from '../../domain/zoned-time.ts';
import type { PartReviewOutput, ReviewOutput } from '../schemas/review-schemas.ts';

type View = Static<typeof ReviewOutput>;

/** So many accounts stand in the answer itself, those with something to look at first. */
const SHOWN_MAX = 50;

/** The review of a central campaign as the API shows it, without what its token and refusals say. */
export function centralReviewView(
  campaign: Campaign,
  review: CentralReview,
  timeZone: string,
): Omit<View, 'token' | 'tokenExpiresAt' | 'action' | 'refusals'> {
  const { parts, planned } = review;
  const instant = (at: number | null): string | null => (at === null ? null : toOffsetString(at, timeZone));
  const ready = parts.filter((part) => part.messages.length > 0);
  const isFaulty = (part: PartReview): boolean =>
    part.refusals.length > 0 || part.warnings.some((code) => code !== 'waits');
  const isWaiting = (part: PartReview): boolean => part.warnings.includes('waits');
  const shown = parts.toSorted(
    (one, other) =>
      Number(isFaulty(other)) - Number(isFaulty(one)) || Number(isWaiting(other)) - Number(isWaiting(one)),
  );
  return {
    recipients: review.recipients,
    leftOut: [],
    segments: review.segments,
    cost: money(review.costMicroUsd),
    estimated: review.sampled !== null,
    rendered: review.sampled,
    messages: planned.map(({ message }) => {
      const own = ready.flatMap((part) => part.messages.filter((one) => one.position === message.position));
      const sum = (of: (one: (typeof own)[number]) => number): number =>
        own.reduce((total, one) => total + of(one), 0);
      const dueAt = least(own.map((one) => one.dueAt));
      return {
        messageId: message.id,
        position: message.position,
        recipients: sum((one) => one.recipients),
        leftOut: [],
        segments: sum((one) => one.segments),
        cost: money(sum((one) => one.costMicroUsd)),
        dueAt: instant(dueAt),
        startsAt: instant(least(own.map((one) => one.startsAt))),
        endsAt: instant(greatest(own.map((one) => one.endsAt))),
        expiresAt: instant(dueAt === null ? null : dueAt + message.expiresAfterMs),
        rollsOver: null,
        expires: null,
      };
    }),
    warnings: warningsOf(parts),
    central: {
      accounts: parts.length,
      lists: parts.reduce((sum, part) => sum + part.lists, 0),
      ready: ready.length,
      faulty: parts.filter(isFaulty).length,
      waiting: parts.filter(isWaiting).length,
      timing: campaign.timing ?? 'one_instant',
      items: shown.slice(0, SHOWN_MAX).map(partReviewView),
    },
  };
}

/** The plan figures of one account; instants stand in its own zone. */
export function partReviewView(part: PartReview): Static<typeof PartReviewOutput> {
  const instant = (at: number | null): string | null =>
    at === null ? null : toOffsetString(at, part.timeZone);
  return {
    accountId: part.accountId,
    name: part.name,
    timeZone: part.timeZone,
    lists: part.lists,
    recipients: part.recipients,
    segments: part.segments,
    cost: money(part.costMicroUsd),
    messages: part.messages.map(({ dueAt, startsAt, endsAt, costMicroUsd, ...message }) => ({
      ...message,
      cost: money(costMicroUsd),
      dueAt: instant(dueAt),
      startsAt: instant(startsAt),
      endsAt: instant(endsAt),
    })),
    warnings: part.warnings.map((code) => ({ code, message: PART_WARNINGS[code] })),
    refusals: part.refusals.map((code) => ({ code, message: PART_REFUSALS[code] })),
  };
}

/** One line a code: how many accounts it concerns, and which they are stands beside each account. */
function warningsOf(parts: readonly PartReview[]): View['warnings'] {
  const counts = new Map<keyof typeof PART_WARNINGS, number>();
  for (const { warnings } of parts) {
    for (const code of warnings) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts].map(([code, accounts]) => ({
    code,
    message: `Of ${accounts} ${accounts === 1 ? 'account' : 'accounts'}: ${PART_WARNINGS[code]}`,
    messageId: null,
    subject: null,
  }));
}

function money(amountMicro: number): { amountMicro: number; currency: 'USD' } {
  return { amountMicro, currency: 'USD' };
}

function least(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((instant) => instant !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function greatest(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((instant) => instant !== null);
  return known.length === 0 ? null : Math.max(...known);
}
