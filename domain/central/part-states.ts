import { isSuspendCause, SUSPENSIONS } from '../suspension.ts';

/** Whether all parts of a central campaign are due at one instant, or at the same local time in each account's zone. */
export const CENTRAL_TIMINGS = ['one_instant', 'local_time'] as const;
export type CentralTiming = (typeof CENTRAL_TIMINGS)[number];

/** What a parent sees of a sub-account's part, from not begun to over. */
export const PART_STATES = [
  'waiting',
  'handed_over',
  'paused',
  'suspended',
  'rejected',
  'stopped',
  'aborted',
  'done',
] as const;
export type PartState = (typeof PART_STATES)[number];

/** States in which a part is over, unless somebody sets it going again. */
export const FINAL_PART_STATES = ['rejected', 'stopped', 'aborted', 'done'] as const satisfies PartState[];

/** How many parts make a slice; the database counts them so, too. */
export const SLICE_PARTS = 200;

/** The cause of a hold that the parent's order has placed on a part. */
export const BY_PARENT = 'by_parent';

/** Why a part stands where it does, for people. Codes only are kept: what a sub-account's people write stays there. */
const SENTENCES: Readonly<Record<string, string>> = {
  [BY_PARENT]: 'You have ordered it for the whole campaign, or your account is held.',
  by_account: 'The sub-account has ordered it.',
  held: 'The sub-account or an operator holds it.',
  operator: 'The sub-account or an operator has suspended it.',
  content_refused: 'Its content is refused.',
  account_left: 'The account is no longer your sub-account; what had not been sent was aborted.',
  account_disabled: 'The account is disabled; what had not been sent was aborted.',
};

/** The words for a reason's code; null where there is none. */
export function wordsOfPartReason(reason: string | null): string | null {
  if (reason === null) return null;
  if (isSuspendCause(reason)) return `${SUSPENSIONS[reason].reason} ${SUSPENSIONS[reason].remedy}`;
  return SENTENCES[reason] ?? 'It does not go on by itself.';
}

/** Whether the parent may have a part tried again: it was not ordered to rest, and its account is still there. */
export function isPartRetryable(state: PartState, reason: string | null): boolean {
  return state === 'rejected' || (state === 'suspended' && reason !== 'operator');
}
