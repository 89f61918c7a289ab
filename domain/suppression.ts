/** Why a number must not be texted, from the gravest to the lightest; the gravest is the one that is shown. */
export const SUPPRESSION_KINDS = ['erased', 'opt_out', 'undeliverable', 'manual'] as const;
/**
 * `erased`: its owner asked to be forgotten, and nothing but the number's keyed hash is left. `opt_out`: he asked not
 * to be texted. `undeliverable`: the carrier says that it is gone for good. `manual`: somebody of the account said so.
 */
export type SuppressionKind = (typeof SUPPRESSION_KINDS)[number];

/** By which way a suppression came or went. */
export const SUPPRESSION_SOURCES = ['api', 'import', 'inbound', 'carrier'] as const;
export type SuppressionSource = (typeof SUPPRESSION_SOURCES)[number];

/** The most characters of a recorded reason. */
export const SUPPRESSION_REASON_LENGTH_MAX = 500;

/** Whether the word names a kind of suppression. */
export function isSuppressionKind(word: string): word is SuppressionKind {
  return SUPPRESSION_KINDS.some((kind) => kind === word);
}

/** The gravest of some kinds, or null when there is none. */
export function gravestSuppression(kinds: readonly SuppressionKind[]): SuppressionKind | null {
  return SUPPRESSION_KINDS.find((kind) => kinds.includes(kind)) ?? null;
}

/**
 * Whether somebody of the account needs a reason on record to remove it: what the person himself has said (47 CFR
 * 64.1200(a)(10)) is undone by his own START, or by whoever can say why.
 */
export function removalNeedsReason(kind: SuppressionKind): boolean {
  return kind === 'opt_out' || kind === 'erased';
}
