/** `standard`: an account's own. `central`: one that a parent sends for its sub-accounts, or a part of such a one. */
export const CAMPAIGN_KINDS = ['standard', 'central'] as const;
export type CampaignKind = (typeof CAMPAIGN_KINDS)[number];

/** Every status a campaign can have. Archived is a flag beside it, deleted is none of them. */
export const CAMPAIGN_STATUSES = [
  'draft',
  'processing',
  'ready',
  'scheduled',
  'started',
  'sending',
  'paused',
  'suspended',
  'stopped',
  'aborted',
  'rejected',
  'finished',
] as const;
export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number];

/** Every status a message can have. Stop cancels what has not begun and cuts what has. */
export const MESSAGE_STATUSES = [
  'draft',
  'scheduled',
  'sending',
  'sent',
  'cut',
  'cancelled',
  'expired',
] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/** How a campaign is launched: at once, at its first schedule, or prepared only until somebody starts it. */
export const START_MODES = ['now', 'scheduled', 'later'] as const;
export type StartMode = (typeof START_MODES)[number];

/** Why a campaign is rejected or suspended, in words for people and a code for programs. */
export interface StatusReason {
  readonly code: string;
  readonly message: string;
  readonly messageId?: string;
}

/**
 * What may hold a campaign, from the gravest to the lightest; the gravest shows as its status. A `hold` was placed by
 * itself and is lifted by itself; the others belong to the action of their name.
 */
export const HOLD_KINDS = ['abort', 'stop', 'suspend', 'hold', 'pause'] as const;
export type HoldKind = (typeof HOLD_KINDS)[number];

const STATUS_OF_HOLD = {
  abort: 'aborted',
  stop: 'stopped',
  suspend: 'suspended',
  hold: 'paused',
  pause: 'paused',
} as const satisfies Record<HoldKind, CampaignStatus>;

/** The status that a set of holds shows, or null when nothing holds. */
export function statusOfHolds(kinds: readonly string[]): CampaignStatus | null {
  const gravest = HOLD_KINDS.find((kind) => kinds.includes(kind));
  return gravest === undefined ? null : STATUS_OF_HOLD[gravest];
}

/** Statuses in which a workflow runs the campaign. */
export const LIVE_STATUSES = [
  'processing',
  'ready',
  'scheduled',
  'started',
  'sending',
  'paused',
  'suspended',
] as const satisfies readonly CampaignStatus[];

/** Statuses in which nothing happens by itself: only these can be archived. */
export const RESTING_STATUSES = [
  'draft',
  'rejected',
  'stopped',
  'aborted',
  'finished',
] as const satisfies readonly CampaignStatus[];

/** True while a workflow should be running the campaign. */
export function isLive(status: CampaignStatus): boolean {
  return LIVE_STATUSES.some((live) => live === status);
}

/** What decides the status of a prepared campaign that nothing holds. */
export interface ProgressFacts {
  /** False while the campaign is prepared only and nobody has started it. */
  readonly isStarted: boolean;
  /** Lanes of some message work at this moment. */
  readonly isTexting: boolean;
  /** Some message has become due, whether or not anybody could be texted. */
  readonly hasBegun: boolean;
}

/** The status of a prepared campaign that nothing holds. */
export function statusOfProgress(facts: ProgressFacts): CampaignStatus {
  if (!facts.isStarted) return 'ready';
  if (facts.isTexting) return 'sending';
  return facts.hasBegun ? 'started' : 'scheduled';
}
