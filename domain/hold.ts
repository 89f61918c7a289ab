/** What a hold can close, from the widest to the narrowest. A message's hold leaves its campaign's others alone. */
export const HOLD_SCOPES = ['installation', 'account', 'sender', 'campaign', 'message'] as const;
export type HoldScope = (typeof HOLD_SCOPES)[number];

/** The same with what keeps a part from above, which its account only sees. */
export const SHOWN_HOLD_SCOPES = [...HOLD_SCOPES, 'central'] as const;
export type ShownHoldScope = (typeof SHOWN_HOLD_SCOPES)[number];

/** The scope's id of the whole installation. */
export const INSTALLATION = 'installation';

/** Wide scopes are opened by whoever lifts their last hold; a campaign's and its messages' by its workflow only. */
export function isWide(scope: HoldScope): boolean {
  return scope === 'installation' || scope === 'account' || scope === 'sender';
}

/** The most holds that may stand on one scope at once. */
export const HOLDS_OF_SCOPE_MAX = 100;
