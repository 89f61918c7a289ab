/** What the carrier calls back about: the status of a text, or a text that somebody sent. */
export const CALLBACK_KINDS = ['status', 'inbound'] as const;
export type CallbackKind = (typeof CALLBACK_KINDS)[number];

/**
 * Why a callback had no effect. `path`: this installation has not made it. `signature`: the carrier has not signed it,
 * or not as it arrived. `form`: it is signed, or asks for nothing secret, and cannot be read. `mismatch`: its number or
 * uuid does not belong to its post. `repeated`: it was taken before, whether the carrier says it again or somebody
 * replays it; the two look alike, and both are answered with 200.
 */
export const CALLBACK_REFUSALS = ['path', 'signature', 'form', 'mismatch', 'repeated'] as const;
export type CallbackRefusal = (typeof CALLBACK_REFUSALS)[number];

/** What is counted apart. */
export interface RefusedCallback {
  readonly kind: CallbackKind;
  readonly reason: CallbackRefusal;
}

/** So many of a day need somebody, and what mends it. */
export interface RefusalAlert {
  readonly atLeast: number;
  readonly reason: string;
  readonly remedy: string;
}

const SOMEBODY_TRIES =
  'Each was refused and told nothing. If they come from one address, stop it before it gets here; if they come from the carrier, compare what it sends with what is expected.';

/**
 * When so many callbacks of a day are refused that an operator has to see it; null for what is no trouble. Only the
 * carrier knows the paths of our posts, so a wrong signature on one of those is nearly always a wrong setting, and
 * reports are lost with each of them. Anybody can try the rest.
 */
export function alertOfRefusals({ kind, reason }: RefusedCallback): RefusalAlert | null {
  switch (reason) {
    case 'signature':
      return kind === 'status'
        ? {
            atLeast: 10,
            reason:
              'Status reports arrive at paths of our own with a signature that is not right, so texts stay without a report.',
            remedy:
              "Check that PUBLIC_URL is the address which the carrier calls, to the letter, and that the carrier account's token is its present one.",
          }
        : {
            atLeast: 1_000,
            reason: 'Many texts arrive as from people with a signature that is not right.',
            remedy: `${SOMEBODY_TRIES} An opt-out may be among them: check PUBLIC_URL and the token of the carrier account, too.`,
          };
    case 'mismatch':
      return {
        atLeast: 100,
        reason: 'Many signed reports name a number or a text that does not belong to their post.',
        remedy: SOMEBODY_TRIES,
      };
    case 'form':
      return { atLeast: 1_000, reason: 'Many callbacks cannot be read.', remedy: SOMEBODY_TRIES };
    case 'path':
      return {
        atLeast: 10_000,
        reason: 'Many callbacks arrive at paths that this installation has not made.',
        remedy: SOMEBODY_TRIES,
      };
    case 'repeated':
      return null;
  }
}

/** The word that an alert and its cause share. */
export function causeOf({ kind, reason }: RefusedCallback): string {
  return `${kind}_${reason}`;
}
