import { sql } from 'kysely';
import type { Trx } from './database.ts';

/** Recipients of a message who are left. */
export interface OpenWave {
  readonly messageKey: number;
  readonly waiting: number;
  /** Campaign time of a later wave; null for the first. */
  readonly dueAt: Date | null;
}

/** The waves of these messages that somebody is left in. */
export async function readOpenWaves(trx: Trx, messageKeys: readonly number[]): Promise<OpenWave[]> {
  return trx
    .selectFrom('waves')
    .where('message_key', 'in', messageKeys)
    .whereRef('next_ordinal', '<', 'size')
    .select(['message_key as messageKey', 'due_at as dueAt'])
    .select(sql<number>`size - next_ordinal`.as('waiting'))
    .orderBy('wave')
    .execute();
}

/** What bounds a sender for one kind of text. */
export interface SenderPace {
  /** Segments a second for SMS, messages a second for MMS; null: nothing bounds it. */
  readonly perSecond: number | null;
  /** How long nothing is posted because the carrier asked to slow down; 0 when it did not. Machine time. */
  readonly slowedMs: number;
}

/** The pace of a sender, by kind of text. */
export async function readSenderPaces(trx: Trx, senderId: string): Promise<Map<string, SenderPace>> {
  const paces = await sql<SenderPace & { kind: string }>`
    select p.kind, case p.kind when 'mms' then s.mms_per_second else s.segments_per_second end as "perSecond",
      greatest(0, extract(epoch from greatest(p.slowed_until, c.paused_until, clock_timestamp())
        - clock_timestamp()) * 1000)::float8 as "slowedMs"
    from sender_paces p join senders s on s.id = p.sender_id join carrier_accounts c on c.id = s.carrier_account_id
    where p.sender_id = ${senderId}`.execute(trx);
  return new Map(paces.rows.map(({ kind, ...pace }) => [kind, pace]));
}
