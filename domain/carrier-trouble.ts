/** What can be the matter with a carrier account, in words for people, and what mends it. */
export const CARRIER_TROUBLES = {
  server_error: {
    severity: 'warning',
    reason: 'The carrier answers with errors of its own; whether it took those texts is unknown.',
    remedy:
      "Look at the carrier's status page. Single texts go on until one is taken, and the unknown ones are never sent again by themselves.",
  },
  timeout: {
    severity: 'warning',
    reason: 'The carrier does not answer in time; whether it took those texts is unknown.',
    remedy:
      "Look at the carrier's status page. Single texts go on until one is taken, and the unknown ones are never sent again by themselves.",
  },
  not_written: {
    severity: 'warning',
    reason: 'The carrier cannot be reached, so nothing goes out.',
    remedy:
      'Check the network and the address of the carrier. Whoever was not reached is tried again by itself.',
  },
  credit: {
    severity: 'critical',
    reason: 'The carrier reports insufficient credit.',
    remedy: 'Top the carrier account up, then resume the suspended campaigns.',
  },
  credentials: {
    severity: 'critical',
    reason: 'The carrier refuses the credentials.',
    remedy: 'Correct them in the carrier account, then resume the suspended campaigns.',
  },
  carrier_disabled: {
    severity: 'critical',
    reason: 'The carrier has disabled the account.',
    remedy: 'Settle that with the carrier, then resume the suspended campaigns.',
  },
} as const satisfies Record<
  string,
  { readonly severity: 'warning' | 'critical'; readonly reason: string; readonly remedy: string }
>;
export type CarrierTrouble = keyof typeof CARRIER_TROUBLES;

/** What the failure of a request says of the carrier; null when it says nothing of it. */
export function troubleOf(result: {
  readonly result: string;
  readonly cause: string | null;
}): CarrierTrouble | null {
  if (result.result === 'unknown') return UNKNOWN[result.cause ?? ''] ?? null;
  return result.result === 'not_accepted' && result.cause === 'not_written' ? 'not_written' : null;
}

const UNKNOWN: Readonly<Partial<Record<string, CarrierTrouble>>> = {
  server_error: 'server_error',
  malformed_answer: 'server_error',
  empty_answer: 'server_error',
  timeout: 'timeout',
  reset: 'timeout',
};

/** Whether a cause of a suspension is one of the carrier's. */
export function isCarrierTrouble(cause: string): cause is CarrierTrouble {
  return Object.hasOwn(CARRIER_TROUBLES, cause);
}
