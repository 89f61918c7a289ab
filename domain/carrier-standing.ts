import type { CarrierTrouble } from './carrier-trouble.ts';

/** How a carrier account stands by the carrier's own word, or why that cannot be told. */
export type CarrierStanding =
  | {
      readonly kind: 'told';
      /** What is left to spend; null where the carrier bills afterwards. */
      readonly creditMicroUsd: number | null;
      /** False only where the carrier says that the account is disabled. */
      readonly isEnabled: boolean;
    }
  /** The credentials are not taken. */
  | { readonly kind: 'refused' }
  /** It answers, and not with an account: it has no such resource, or another form of it. */
  | { readonly kind: 'untold' }
  /** It does not answer: unreachable, too late, an error of its own, or asked too often. */
  | { readonly kind: 'silent'; readonly retryAfterMs: number | null };

/** What suspends campaigns and only the carrier can say is mended. */
const ASKED_OF_CARRIER = [
  'credit',
  'credentials',
  'carrier_disabled',
] as const satisfies readonly CarrierTrouble[];
type AskedOfCarrier = (typeof ASKED_OF_CARRIER)[number];

/** Whether a suspension of this cause is lifted only after the carrier has been asked. */
export function isAskedOfCarrier(cause: string | null): cause is AskedOfCarrier {
  return ASKED_OF_CARRIER.some((one) => one === cause);
}

/** Said to whoever wants to resume while the carrier does not answer. */
export const CARRIER_SILENT =
  'The carrier does not say now whether what suspended it is mended. Try again in a minute.';

/**
 * What still keeps a campaign from being resumed; null when nothing does. `textMicroUsd` is what its next text
 * costs: with less credit that would suspend it again.
 *
 * A carrier that is silent refuses the resume: texts that it does not answer either would become unknown, each of them
 * somebody of whom nobody knows whether he was texted, while waiting harms nobody. A carrier that answers but tells
 * nothing of accounts can never say that it is mended, so its next text has to show it: that one suspends again.
 */
export function persistsByCarrier(
  standing: CarrierStanding,
  textMicroUsd: number,
): AskedOfCarrier | 'carrier_silent' | null {
  switch (standing.kind) {
    case 'refused':
      return 'credentials';
    case 'silent':
      return 'carrier_silent';
    case 'untold':
      return null;
    case 'told':
      if (!standing.isEnabled) return 'carrier_disabled';
      return standing.creditMicroUsd !== null && standing.creditMicroUsd < textMicroUsd ? 'credit' : null;
  }
}
