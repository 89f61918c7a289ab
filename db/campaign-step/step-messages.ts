import { sql } from 'kysely';
import type { MessageStatus } from '../../domain/campaign-status.ts';
import { instantOf } from '../../domain/schedule.ts';
import type { Trx } from '../database.ts';

/** A message as the campaign's step sees it; instants are campaign time in epoch milliseconds. */
export interface StepMessage {
  readonly id: string;
  readonly key: number;
  readonly position: number;
  readonly status: MessageStatus;
  readonly scheduleLocal: string | null;
  readonly scheduleZone: string | null;
  /** When it was ordered to be sent after its local time had come. */
  readonly notBefore: number | null;
  readonly dueAt: number | null;
  readonly expiresAfterMs: number;
  readonly endedAt: number | null;
  readonly expiresAt: number | null;
  /** Nothing of it will ever be sent any more, unless the campaign is restarted. */
  readonly isOver: boolean;
}

const OVER: readonly MessageStatus[] = ['sent', 'cut', 'cancelled', 'expired'];

/** At the same local time everywhere: whatever the zone of the parent's schedule, the account's own of today counts. */
const SCHEDULE_ZONE = sql<string | null>`case when in_account_zone
  then (select a.time_zone from accounts a where a.id = messages.account_id) else schedule_zone end`;

/** The messages of a campaign in their order. */
export async function readStepMessages(trx: Trx, campaignId: string): Promise<StepMessage[]> {
  const rows = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .select([
      'id',
      'key',
      'position',
      'status',
      'schedule_local',
      SCHEDULE_ZONE.as('schedule_zone'),
      'not_before',
      'due_at',
      'expires_after_ms',
      'ended_at',
      'expires_at',
    ])
    .orderBy('position')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    key: row.key,
    position: row.position,
    status: row.status,
    scheduleLocal: row.schedule_local,
    scheduleZone: row.schedule_zone,
    notBefore: row.not_before?.getTime() ?? null,
    dueAt: row.due_at?.getTime() ?? null,
    expiresAfterMs: row.expires_after_ms,
    endedAt: row.ended_at?.getTime() ?? null,
    expiresAt: row.expires_at?.getTime() ?? null,
    isOver: OVER.includes(row.status),
  }));
}

/**
 * Resolves the schedules of messages that have not begun again, because zone data change while a campaign
 * sleeps. A message without a schedule is the one that a start "now" or "send" has given an instant.
 */
export async function resolveDueTimes(
  trx: Trx,
  messages: readonly StepMessage[],
  at: number,
  isStarted: boolean,
): Promise<StepMessage[]> {
  const resolved: StepMessage[] = [];
  for (const message of messages) {
    if (message.status !== 'scheduled' || !isStarted) {
      resolved.push(message);
      continue;
    }
    const dueAt = dueAtOf(message, at);
    if (dueAt !== message.dueAt) await setDue(trx, message, dueAt);
    resolved.push({ ...message, dueAt });
  }
  return resolved;
}

function dueAtOf(
  { scheduleLocal: local, scheduleZone: zone, dueAt, notBefore }: StepMessage,
  at: number,
): number | null {
  if (local === null || zone === null) return dueAt ?? at;
  const instant = instantOf({ local, zone });
  return instant === null || notBefore === null ? instant : Math.max(instant, notBefore);
}

async function setDue(trx: Trx, message: StepMessage, dueAt: number | null): Promise<void> {
  await trx
    .updateTable('messages')
    .set({
      due_at: dueAt === null ? null : new Date(dueAt),
      expires_at: dueAt === null ? null : new Date(dueAt + message.expiresAfterMs),
    })
    .where('id', '=', message.id)
    .execute();
}

/** Marks messages as begun, just before their children start. Resolves with the ids of those that begin now. */
export async function beginMessages(
  trx: Trx,
  messages: readonly Pick<StepMessage, 'id' | 'status'>[],
  at: number,
): Promise<readonly string[]> {
  const begun = messages.filter((message) => message.status === 'scheduled').map((message) => message.id);
  if (begun.length === 0) return begun;
  await trx
    .updateTable('messages')
    .set((set) => ({ status: 'sending' as const, began_at: new Date(at), version: set('version', '+', 1) }))
    .where('id', 'in', begun)
    .execute();
  return begun;
}
