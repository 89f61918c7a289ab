import type { CarrierStanding } from '../domain/carrier-standing.ts';

/** One request to a carrier: the same text to one number, or to many in the carrier's bulk form. */
export interface SendRequest {
  /** The send-as number in E.164, or an alphanumeric sender name. */
  readonly from: string;
  /** Unique numbers in E.164; more than one is the bulk form. */
  readonly to: readonly string[];
  readonly text: string;
  /** Empty for SMS; with one or more the carrier sends an MMS. */
  readonly mediaUrls: readonly string[];
  /** Where the carrier reports each recipient's status. Its path carries our post id and a MAC. */
  readonly callbackUrl: string;
}

/**
 * What became of one request, as far as anybody can know.
 *
 * `not_accepted` is certain: the carrier has nothing of it, so a new attempt cannot text anybody twice.
 * `unknown` is everything after which the carrier may or may not have accepted it.
 */
export type SendResult =
  | {
      readonly kind: 'accepted';
      readonly uuids: readonly string[];
      readonly invalidNumbers: readonly string[];
    }
  | { readonly kind: 'rejected'; readonly httpStatus: number }
  | { readonly kind: 'not_accepted'; readonly cause: NotAcceptedCause; readonly retryAfterMs: number | null }
  | { readonly kind: 'unknown'; readonly cause: UnknownCause };

/**
 * `rate_limited` 429; `not_written` failed before a byte was written (refused, DNS);
 * `credit` 402; `credentials` 401 or 403 (the last two suspend the campaign, nobody is at fault).
 */
export type NotAcceptedCause = 'rate_limited' | 'not_written' | 'credit' | 'credentials';

/** `server_error` 5xx or an unexpected status; `empty_answer` a 2xx without ids; `timeout` and `reset` after bytes went out. */
export type UnknownCause = 'server_error' | 'timeout' | 'reset' | 'empty_answer' | 'malformed_answer';

/** One page of what the carrier has on record from a number to a number; instants are epoch milliseconds. */
export interface ListRequest {
  readonly from: string;
  /** E.164. */
  readonly to: string;
  readonly since: number;
  readonly until: number;
  /** How many records come before the page. */
  readonly offset: number;
}

/** A text that the carrier has accepted, as its list shows it. Its wording is not in there. */
export interface ListedText {
  readonly uuid: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A page of the list, or why there is none; then nothing is known. */
export type ListResult =
  | { readonly kind: 'listed'; readonly texts: readonly ListedText[]; readonly isLast: boolean }
  | {
      readonly kind: 'failed';
      readonly cause: 'rate_limited' | 'credentials' | 'unavailable' | 'malformed_answer';
      readonly retryAfterMs: number | null;
    };

/** A carrier account's client. It never retries and never follows a redirect: one call is one request at most. */
export interface Carrier {
  send(request: SendRequest, signal?: AbortSignal): Promise<SendResult>;
  /** Never rejects either. Texts that went out in the time asked for, to this number from this one. */
  list(request: ListRequest, signal?: AbortSignal): Promise<ListResult>;
  /** Never rejects. How the account itself stands: credit, and whether the carrier has disabled it. */
  account(signal?: AbortSignal): Promise<CarrierStanding>;
  close(): Promise<void>;
}
