/** The most presets of an account. */
export const PRESETS_MAX = 1_000;
/** The most sub-accounts in a preset. */
export const PRESET_ACCOUNTS_MAX = 10_000;
/** The most pairs of sub-account and list in a preset. */
export const PRESET_PAIRS_MAX = 50_000;
/** The most lists of one sub-account in a preset: as many as a campaign can have. */
export const PRESET_LISTS_OF_ACCOUNT_MAX = 100;

/**
 * What can be wrong with a sub-account in a preset, for people of its parent, and what mends it. None of them tells how
 * much the sub-account has sent or spent.
 */
export const PRESET_FAULTS = {
  account_left:
    'It is not your sub-account any more, so nothing can be sent for it. Take its pairs out of the preset.',
  account_disabled: 'It is disabled, so nothing of it is sent. Enable it, or take it out of the preset.',
  no_sender:
    'It has no sender that is enabled and registered as approved. Add one, or enable one and have it registered.',
  registration_lapsed: 'The registration of its senders has lapsed. Renew it, then update the sender.',
  list_gone:
    'A list of it has been deleted. Take that pair out of the preset, or put another list in its place.',
  no_credit:
    'There is no credit for its texts. Raise its spend limit of the month, or have the carrier account of its sender topped up.',
} as const satisfies Record<string, string>;
export type PresetFault = keyof typeof PRESET_FAULTS;

/** How large a preset is. */
export interface PresetSize {
  readonly accounts: number;
  readonly pairs: number;
  /** The lists of that sub-account which has the most of them. */
  readonly listsOfOneAccount: number;
}

/** What is too large about a preset, and how to divide it, as a sentence; null when nothing is. */
export function oversizeOf({ accounts, pairs, listsOfOneAccount }: PresetSize): string | null {
  if (accounts > PRESET_ACCOUNTS_MAX) {
    return `A preset has at most ${PRESET_ACCOUNTS_MAX} sub-accounts, and it would have ${accounts}. Divide them among several presets.`;
  }
  if (pairs > PRESET_PAIRS_MAX) {
    return `A preset has at most ${PRESET_PAIRS_MAX} pairs, and it would have ${pairs}. Divide them among several presets.`;
  }
  if (listsOfOneAccount > PRESET_LISTS_OF_ACCOUNT_MAX) {
    return `A preset has at most ${PRESET_LISTS_OF_ACCOUNT_MAX} lists of one sub-account, and it would have ${listsOfOneAccount}. Join some of its lists to one.`;
  }
  return null;
}
