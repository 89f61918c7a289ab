/** What a review binds: hashes of what was looked at, and its figures. */
export interface ReviewFacts {
  readonly action: string;
  readonly content: string;
  readonly schedule: string;
  readonly hours: string;
  readonly sender: string;
  readonly lists: string;
  readonly recipients: number;
  readonly costMicroUsd: number;
}

/** Something that is not as it was when the campaign was reviewed. */
export interface ReviewChange {
  readonly code: 'action' | 'content' | 'schedule' | 'hours' | 'sender' | 'lists' | 'recipients' | 'cost';
  readonly message: string;
}

const SENTENCES = {
  action: 'It was reviewed for another action.',
  content: 'A message, what it is for, or what the account adds to its texts has changed.',
  schedule: 'A schedule, an expiry, or how it is to start has changed.',
  hours: "The account's time zone or quiet hours have changed.",
  sender: 'The sender, its pace or its registration has changed.',
  lists: 'Other lists are chosen.',
} as const;

/**
 * What has changed since a review; nothing when the launch still does what was seen. Recipients and cost may differ
 * by so many percent of what they were.
 */
export function changesSince(
  before: ReviewFacts,
  now: ReviewFacts,
  tolerancePercent: number,
): ReviewChange[] {
  const changes: ReviewChange[] = [];
  for (const code of ['action', 'content', 'schedule', 'hours', 'sender', 'lists'] as const) {
    if (before[code] !== now[code]) changes.push({ code, message: SENTENCES[code] });
  }
  if (isBeyond(before.recipients, now.recipients, tolerancePercent)) {
    changes.push({
      code: 'recipients',
      message: `There were ${before.recipients} recipients and are ${now.recipients} now.`,
    });
  }
  if (isBeyond(before.costMicroUsd, now.costMicroUsd, tolerancePercent)) {
    changes.push({
      code: 'cost',
      message: `It cost ${usd(before.costMicroUsd)} and costs ${usd(now.costMicroUsd)} now.`,
    });
  }
  return changes;
}

/** Dollars as people write them, and exact, since a text costs fractions of a cent. */
function usd(microUsd: number): string {
  return `USD ${(microUsd / 1_000_000).toFixed(6)}`;
}

function isBeyond(before: number, now: number, tolerancePercent: number): boolean {
  return Math.abs(now - before) * 100 > before * tolerancePercent;
}
