import { sql } from 'kysely';
import type { SenderType } from '../../../domain/sender.ts';
import type { Trx } from '../../database.ts';

/** What the texts of one sub-account depend on. It is for the parent's figures, and never shown. */
export interface PartSettings {
  readonly accountId: string;
  readonly name: string;
  readonly senderName: string;
  readonly prefix: string;
  readonly suffix: string;
  readonly timeZone: string;
  readonly quietHours: { readonly start: string; readonly end: string };
  readonly lists: number;
  /** Something holds the whole account. */
  readonly isHeld: boolean;
  /** Null when it has none that may send. */
  readonly sender: {
    readonly id: string;
    readonly type: SenderType;
    readonly segmentsPerSecond: number | null;
    readonly mmsPerSecond: number | null;
    readonly limit: { readonly requestsMax: number; readonly windowMs: number };
  } | null;
}

interface Row {
  readonly accountId: string;
  readonly name: string;
  readonly senderName: string;
  readonly prefix: string;
  readonly suffix: string;
  readonly timeZone: string;
  readonly quietStart: string;
  readonly quietEnd: string;
  readonly lists: number;
  readonly isHeld: boolean;
  readonly senderId: string | null;
  readonly senderType: SenderType;
  readonly segmentsPerSecond: number | null;
  readonly mmsPerSecond: number | null;
  readonly requestsMax: number;
  readonly windowMs: number;
}

/**
 * The settings of the sub-accounts in a preset that may be sent for, or of those that a restart of a campaign sets going
 * again, in the order of their ids; `at` is campaign time.
 */
export async function readPartSettings(
  trx: Trx,
  presetOrCampaignId: string,
  withMedia: boolean,
  at: number,
): Promise<PartSettings[]> {
  const today = new Date(at).toISOString().slice(0, 10);
  const { rows } = await sql<Row>`
    select account_id as "accountId", name, sender_name as "senderName", prefix, suffix, time_zone as "timeZone",
      quiet_start as "quietStart", quiet_end as "quietEnd", lists, is_held as "isHeld", sender_id as "senderId",
      sender_type as "senderType", segments_per_second as "segmentsPerSecond", mms_per_second as "mmsPerSecond",
      requests_max as "requestsMax", window_ms as "windowMs"
    from central_settings(${presetOrCampaignId}, ${today}::date, ${withMedia})`.execute(trx);
  return rows.map(({ quietStart, quietEnd, senderId, senderType, ...row }) => {
    const { segmentsPerSecond, mmsPerSecond, requestsMax, windowMs, ...account } = row;
    return {
      ...account,
      quietHours: { start: quietStart, end: quietEnd },
      sender:
        senderId === null
          ? null
          : {
              id: senderId,
              type: senderType,
              segmentsPerSecond,
              mmsPerSecond,
              limit: { requestsMax, windowMs },
            },
    };
  });
}
