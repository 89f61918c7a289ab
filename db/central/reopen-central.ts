import { sql } from 'kysely';
import { type CampaignStatus, isLive, type MessageStatus } from '../../domain/campaign-status.ts';
import type { Trx } from '../database.ts';

/** A central campaign, locked, as whoever sets a part of it going again needs it. */
export interface LockedCentral {
  readonly id: string;
  readonly status: CampaignStatus;
}

/** Why no part of the central campaign is set going again; null when one may be. */
export function refusalToReopen({ status }: LockedCentral): string | null {
  if (isLive(status) || status === 'finished') return null;
  return `The central campaign is ${status}, and so are its parts.`;
}

/**
 * Has a central campaign go on with the part of this account, which is set going again, so that the parent steers it
 * whatever had become of the campaign without it. Only in a transaction of the parent.
 */
export async function reopenCentral(trx: Trx, central: LockedCentral, subAccountId: string): Promise<void> {
  await trx
    .updateTable('central_parts')
    .set({ needs_run: true })
    .where('central_id', '=', central.id)
    .where('sub_account_id', '=', subAccountId)
    .execute();
  if (central.status !== 'finished') return;
  await trx
    .updateTable('campaigns')
    .set((set) => ({
      status: 'started' as const,
      finished_at: null,
      // Nobody looks for a live one in the archive.
      archived_at: null,
      version: set('version', '+', 1),
    }))
    .where('id', '=', central.id)
    .execute();
  // What the end had marked as sent is on its way again, so that a stop cuts it and a restart may give it a new time.
  await trx
    .updateTable('messages')
    .set((set) => ({
      status: sql<MessageStatus>`case when began_at is null then 'scheduled' else 'sending' end`,
      ended_at: null,
      version: set('version', '+', 1),
    }))
    .where('campaign_id', '=', central.id)
    .where('status', '=', 'sent')
    .execute();
}
