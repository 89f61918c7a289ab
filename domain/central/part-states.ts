import type { SuspendCause } from '../dispatch/dispatch-store.ts';
import { CONTENT_REFUSED } from '../content-check.ts';
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
  [CONTENT_REFUSED]:
    'Its content is refused. Have the phrase taken off the list, then try the account again.',
  account_left: 'The account is no longer your sub-account; what had not been sent was aborted.',
  account_disabled: 'The account is disabled; what had not been sent was aborted.',
};

/** What mends a suspension, for people of the parent, who have an account tried again where its own people resume. */
const REMEDIES: Readonly<Record<SuspendCause, string>> = {
  spend_limit: 'Raise it or wait for the next month, then try the account again.',
  campaign_budget: 'Have the sub-account raise it or take it away, then try the account again.',
  sender_disabled: 'Enable it, then try the account again.',
  no_sender: 'Add one, or renew the registration of one, then try the account again.',
  registration_lapsed: 'Renew its registration, then try the account again.',
  credit: 'Have the carrier account topped up, then try the account again.',
  carrier_disabled: 'Have that settled with the carrier, then try the account again.',
  credentials: 'Have them corrected, then try the account again.',
  carrier_down:
    "Look at the carrier's status page, then try the account again: single texts are tried first.",
  spam: 'Look at the text, and have it settled with the carrier. An hour after the last reports the account can be tried again.',
  list_gone:
    'Have the sub-account abort its part, and send to it by another campaign with another list in the preset.',
};

/** The words for a reason's code; null where there is none. */
export function wordsOfPartReason(reason: string | null): string | null {
  if (reason === null) return null;
  if (isSuspendCause(reason)) return `${SUSPENSIONS[reason].reason} ${REMEDIES[reason]}`;
  return SENTENCES[reason] ?? 'It does not go on by itself.';
}

/** Suspensions that nothing the parent does can end. All of them come by themselves: nobody suspends a part by hand. */
const NOT_RETRYABLE: readonly (string | null)[] = ['list_gone'] satisfies SuspendCause[];

/** Whether the parent may have a part tried again, as long as its account is an enabled one of his. */
export function isPartRetryable(state: PartState, reason: string | null): boolean {
  if (state === 'suspended') return !NOT_RETRYABLE.includes(reason);
  // A restart leaves one stopped whose content is refused.
  return state === 'rejected' || (state === 'stopped' && reason === CONTENT_REFUSED);
}
