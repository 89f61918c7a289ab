import { LIVE_STATUSES } from '../domain/campaign-status.ts';
import { nextPermitted, type QuietHours } from '../domain/quiet-hours.ts';
import { instantOf } from '../domain/schedule.ts';
import { toOffsetString } from '../domain/zoned-time.ts';
import { raiseAlert, resolveAlerts } from './alerts.ts';
import type { Trx } from './database.ts';

/** When an account may text. */
export interface Hours {
  readonly timeZone: string;
  readonly quietStart: string;
  readonly quietEnd: string;
}

/**
 * Hours were edited: each unsent message of a live campaign that has to wait longer than it would have needs
 * somebody. One that may go out earlier again does not. `at` is the instant of the edit in epoch milliseconds.
 */
export async function reviewHours(
  trx: Trx,
  accountId: string,
  hours: { readonly before: Hours; readonly after: Hours },
  at: number,
): Promise<void> {
  const { before, after } = hours;
  for (const message of await waitingMessages(trx)) {
    const dueAt = Math.max(message.dueAt, at);
    const wouldGoAt = nextPermitted(dueAt, quietHoursOf(before), before.timeZone);
    const goesAt = nextPermitted(dueAt, quietHoursOf(after), after.timeZone);
    if (goesAt < wouldGoAt) {
      await resolveAlerts(trx, { accountId, kind: 'hours_changed', subjectId: message.id });
    }
    if (goesAt <= wouldGoAt) continue;
    const expires = message.expiresAt !== null && goesAt >= message.expiresAt;
    const [then, instead] = [goesAt, wouldGoAt].map((instant) => toOffsetString(instant, after.timeZone));
    await raiseAlert(trx, {
      accountId,
      kind: 'hours_changed',
      severity: expires ? 'critical' : 'warning',
      subject: { kind: 'message', id: message.id },
      campaignId: message.campaignId,
      cause: 'quiet_hours',
      reason: `The account's hours were changed, so this message waits until ${then} instead of ${instead}.${
        expires ? ' Until then it expires.' : ''
      }`,
      remedy: 'Reschedule the message, or change the hours back.',
    });
  }
}

function quietHoursOf(hours: Hours): QuietHours {
  return { start: hours.quietStart, end: hours.quietEnd };
}

/** A campaign that was prepared for later waits for a person, not for hours. */
const WAITING = LIVE_STATUSES.filter((status) => status !== 'ready');

/** What still has somebody to text, with the instant from which it is due. */
async function waitingMessages(
  trx: Trx,
): Promise<{ id: string; campaignId: string; dueAt: number; expiresAt: number | null }[]> {
  const rows = await trx
    .selectFrom('messages as m')
    .innerJoin('campaigns as c', 'c.id', 'm.campaign_id')
    .where('c.status', 'in', WAITING)
    .where('c.deleted_at', 'is', null)
    .where((where) => where.or([where('c.kind', '=', 'standard'), where('c.central_id', 'is not', null)]))
    .where('m.status', 'in', ['scheduled', 'sending'])
    .select([
      'm.id',
      'm.campaign_id as campaignId',
      'm.due_at as dueAt',
      'm.expires_at as expiresAt',
      'm.expires_after_ms as expiresAfterMs',
      'm.schedule_local as local',
      'm.schedule_zone as zone',
    ])
    .orderBy('m.id')
    .execute();
  return rows.flatMap(({ local, zone, ...message }) => {
    const scheduled = local === null || zone === null ? null : instantOf({ local, zone });
    const dueAt = message.dueAt?.getTime() ?? scheduled;
    if (dueAt === null) return [];
    const expiresAt = message.expiresAt?.getTime() ?? dueAt + message.expiresAfterMs;
    return [{ id: message.id, campaignId: message.campaignId, dueAt, expiresAt }];
  });
}
