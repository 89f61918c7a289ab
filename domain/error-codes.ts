import type { SuppressionKind } from './suppression.ts';

/**
 * Whether the same text to the same recipient is worth another attempt: `no`; `yes` soon, a bounded number of
 * times; `later` after a longer wait; `once` at most; `in_window` only if his window is still open;
 * `other_sender` only from another sender; `after_block` when the block that caused it has been lifted.
 * It says what makes sense, not what is safe: only `failed` may be tried again, never `undelivered`.
 */
export type RetryAdvice = 'no' | 'yes' | 'later' | 'once' | 'in_window' | 'other_sender' | 'after_block';

/** What a status callback's error code means. */
export interface ErrorCodeDescription {
  readonly code: string;
  readonly meaning: string;
  readonly retry: RetryAdvice;
  /** As what the number must not be texted again: it is gone for good, or its owner opted out. Null: it may be. */
  readonly suppresses: SuppressionKind | null;
  /** Why no campaign of the carrier account can go on, or null. */
  readonly suspends: 'credit' | 'carrier_disabled' | null;
}

/** Describes an error code of a Plivo status callback; a code that is not in the table is terminal. */
export function describeErrorCode(code: string): ErrorCodeDescription {
  const known = TABLE.get(normalCode(code));
  return (
    known ?? { code, meaning: 'unknown code of the carrier', retry: 'no', suppresses: null, suspends: null }
  );
}

/** All codes that Plivo documents for messages, in ascending order. */
export const ERROR_CODES: readonly ErrorCodeDescription[] = [
  row('000', 'delivered', 'no'),
  row('10', 'invalid message', 'no'),
  row('20', 'network error', 'yes'),
  row('30', 'spam detected', 'no'),
  row('40', 'invalid source number', 'no'),
  row('50', 'invalid destination number', 'no'),
  row('60', 'loop detected', 'no'),
  row('70', 'destination permanently unavailable', 'no', { suppresses: 'undeliverable' }),
  row('80', 'destination temporarily unavailable', 'later'),
  row('90', 'no route to the destination', 'once'),
  row('100', 'prohibited by the carrier', 'no'),
  row('110', 'message too long', 'no'),
  row('120', 'media too large', 'no'),
  row('200', 'blocked because the recipient opted out', 'no', { suppresses: 'opt_out' }),
  row('201', 'toll-free numbers cannot text Canada', 'other_sender'),
  row('300', 'failed to dispatch', 'yes'),
  row('420', 'expired in the queue', 'in_window'),
  row('450', 'destination country is barred', 'after_block'),
  row('451', 'hourly threshold of the country reached', 'after_block'),
  row('900', 'insufficient credit', 'no', { suspends: 'credit' }),
  row('910', 'carrier account disabled', 'no', { suspends: 'carrier_disabled' }),
  row('1000', 'unknown error', 'once'),
];

const TABLE = new Map(ERROR_CODES.map((description) => [normalCode(description.code), description]));

/** Codes arrive as '000', '0', '80' or '080': leading zeros mean nothing. */
function normalCode(code: string): string {
  return code.trim().replace(/^0+(?=\d)/, '');
}

function row(
  code: string,
  meaning: string,
  retry: RetryAdvice,
  effects: Partial<Pick<ErrorCodeDescription, 'suppresses' | 'suspends'>> = {},
): ErrorCodeDescription {
  return { code, meaning, retry, suppresses: null, suspends: null, ...effects };
}
