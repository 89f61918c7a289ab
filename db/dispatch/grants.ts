import { sql } from 'kysely';
import { type RequestLimit, requestIntervalMs } from '../../domain/dispatch/pace.ts';
import type { Trx } from '../database.ts';

/** What has been granted: the machine milliseconds from one to the next, and until the first may go out. */
export interface Grant {
  readonly intervalMs: number;
  readonly delayMs: number;
}

/** What nothing limits. */
export const NO_GRANT: Grant = { intervalMs: 0, delayMs: 0 };

/** Takes requests of the carrier account's limit, over all senders and workers. */
export async function grantRequests(trx: Trx, carrierAccountId: string, requests: number): Promise<Grant> {
  const limit = await trx
    .selectFrom('carrier_accounts')
    .where('id', '=', carrierAccountId)
    .select(['requests_max as requestsMax', 'requests_window_ms as windowMs'])
    .executeTakeFirstOrThrow();
  return grantOfLimit(trx, carrierAccountId, limit, requests);
}

/** The same where the limit is known. */
export async function grantOfLimit(
  trx: Trx,
  carrierAccountId: string,
  limit: RequestLimit,
  requests: number,
): Promise<Grant> {
  if (limit.requestsMax === 0) return NO_GRANT;
  const intervalMs = requestIntervalMs(limit);
  const claimedMs = requests * intervalMs;
  const granted = await sql<{ delayMs: number }>`
    update carrier_accounts set next_request_at =
      greatest(next_request_at, paused_until, clock_timestamp()) + ${claimedMs} * interval '1 millisecond'
    where id = ${carrierAccountId}
    returning (extract(epoch from next_request_at - clock_timestamp()) * 1000)::float8 - ${claimedMs} as "delayMs"`.execute(
    trx,
  );
  return { intervalMs, delayMs: granted.rows[0]?.delayMs ?? 0 };
}

/** Takes units of the sender's pace, over all campaigns and workers: the hottest row, so it comes last. */
export async function grantPace(
  trx: Trx,
  sender: { readonly id: string; readonly pace: number | null },
  kind: 'sms' | 'mms',
  units: number,
): Promise<Grant> {
  if (sender.pace === null) return NO_GRANT;
  const intervalMs = 1_000 / sender.pace;
  const claimedMs = units * intervalMs;
  const granted = await sql<{ delayMs: number }>`
    update sender_paces set next_free_at =
      greatest(next_free_at, slowed_until, clock_timestamp()) + ${claimedMs} * interval '1 millisecond'
    where sender_id = ${sender.id} and kind = ${kind}
    returning (extract(epoch from next_free_at - clock_timestamp()) * 1000)::float8 - ${claimedMs} as "delayMs"`.execute(
    trx,
  );
  return { intervalMs, delayMs: granted.rows[0]?.delayMs ?? 0 };
}
