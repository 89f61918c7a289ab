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

/** A carrier account's client. It never retries and never follows a redirect: one call is one POST at most. */
export interface Carrier {
  send(request: SendRequest, signal?: AbortSignal): Promise<SendResult>;
  close(): Promise<void>;
}
