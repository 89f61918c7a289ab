import type { CentralTiming } from '../../domain/central/part-states.ts';
import { instantOf } from '../../domain/schedule.ts';
import type { Trx } from '../database.ts';
import { zonesOfOpenParts } from './zones-of-parts.ts';

/** What a central campaign's messages are overdue by. */
export interface HeldCentral {
  readonly timing: CentralTiming;
  /** In campaign time; of a campaign that is not held, since when it was held the last time. */
  readonly heldSince: number | null;
}

/** The same of this campaign; null when it is no central one. */
export async function findHeldCentral(trx: Trx, campaignId: string): Promise<HeldCentral | null> {
  const row = await trx
    .selectFrom('central_sends')
    .where('campaign_id', '=', campaignId)
    .select(['timing', 'held_since'])
    .executeTakeFirst();
  return row === undefined ? null : { timing: row.timing, heldSince: row.held_since?.getTime() ?? null };
}

/**
 * Messages of a central campaign that are overdue in some zone where several are, so that its accounts would send them
 * together. One that has begun in a zone was due there before the campaign was held, which the parent's own row does not
 * tell: it begins with the first zone.
 */
export async function overdueInZones(
  trx: Trx,
  campaignId: string,
  { timing, heldSince }: HeldCentral,
  at: number,
): Promise<string[]> {
  const messages = await readUnskipped(trx, campaignId);
  const zones = timing === 'local_time' ? await zonesOfOpenParts(trx, campaignId) : [null];
  const bundled = new Set<string>();
  for (const zone of zones) {
    const overdue = messages.filter((message) => {
      const dueAt = dueAtOf(message, zone);
      if (dueAt === null || dueAt > at) return false;
      return message.status === 'scheduled' || (heldSince !== null && dueAt > heldSince);
    });
    if (overdue.length > 1) for (const { id } of overdue) bundled.add(id);
  }
  return messages.flatMap(({ id }) => (bundled.has(id) ? [id] : []));
}

type UnskippedMessage = Awaited<ReturnType<typeof readUnskipped>>[number];

/** Those that begin yet in some zone, or have begun. */
async function readUnskipped(trx: Trx, campaignId: string) {
  return trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .where('status', 'in', ['scheduled', 'sending'])
    .where('skipped_at', 'is', null)
    .select(['id', 'status', 'schedule_local', 'schedule_zone', 'due_at'])
    .orderBy('position')
    .execute();
}

/**
 * When it is due in this zone, or alike everywhere. Null where nobody has said when. An order to send it changes nothing:
 * where its time had come before the hold it has begun, and elsewhere it has passed by now or is still to come.
 */
function dueAtOf(message: UnskippedMessage, accountZone: string | null): number | null {
  const { schedule_local: local, schedule_zone: ownZone } = message;
  const zone = accountZone ?? ownZone;
  // What was launched for "now" or told to be sent has an instant, and no local time.
  if (local === null || zone === null) return message.due_at?.getTime() ?? null;
  return instantOf({ local, zone });
}
