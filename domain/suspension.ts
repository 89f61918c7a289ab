import type { SuspendCause } from './dispatch/dispatch-store.ts';

/** Why a campaign was suspended, in words for people, and what mends it. */
export const SUSPENSIONS: Record<SuspendCause, { readonly reason: string; readonly remedy: string }> = {
  spend_limit: {
    reason: "The account's spend limit of this month is reached.",
    remedy: 'Raise it or wait for the next month, then resume.',
  },
  campaign_budget: {
    reason: "The campaign's budget does not pay for the next text.",
    remedy: 'Raise the budget or take it away, then resume.',
  },
  sender_disabled: { reason: 'The sender is disabled.', remedy: 'Enable it, then resume.' },
  no_sender: {
    reason: 'The account has no sender that may send it.',
    remedy: 'Add one, or renew the registration of one, then resume.',
  },
  registration_lapsed: {
    reason: 'The sender is not registered as approved.',
    remedy: 'Renew its registration, then resume.',
  },
  credit: {
    reason: 'The carrier reports insufficient credit.',
    remedy: 'Top the carrier account up, then resume.',
  },
  carrier_disabled: {
    reason: 'The carrier has disabled the account.',
    remedy: 'Settle that with the carrier, then resume.',
  },
  credentials: {
    reason: 'The carrier refuses the credentials.',
    remedy: 'Correct them, then resume.',
  },
  carrier_down: {
    reason: 'The carrier has not taken a text for a while.',
    remedy: "Look at the carrier's status page, then resume: single texts are tried first.",
  },
  spam: {
    reason: 'Carriers report too many texts of the sender as spam.',
    remedy:
      'Look at the texts and at how people opted in, and settle it with the carrier. An hour after the last reports it can be resumed.',
  },
  list_gone: {
    reason: 'A contact list of the campaign has been deleted.',
    remedy: 'Abort it, or duplicate it with other lists.',
  },
};

const REMEDY_OF_ANOTHERS = 'Settle it with whoever suspended the campaign, then resume.';

/** What mends a suspension of this cause; a person's word is settled with that person. */
export function remedyOfSuspension(cause: string | null): string {
  return isSuspendCause(cause) ? SUSPENSIONS[cause].remedy : REMEDY_OF_ANOTHERS;
}

/** Whether a hold's cause is one that the system sees by itself. */
export function isSuspendCause(cause: string | null): cause is SuspendCause {
  return cause !== null && Object.hasOwn(SUSPENSIONS, cause);
}
