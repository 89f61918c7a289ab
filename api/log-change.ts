import type { Trx } from '../db/database.ts';
import { appendLog, type LogEntry } from '../db/log.ts';
import { changesBetween } from '../domain/log-changes.ts';
import type { LogSubject } from '../domain/log-line.ts';
import type { Caller } from './authentication.ts';

/** Whoever acts, and for which account (or `operator`). */
type Acting = Pick<Caller, 'accountId' | 'actor'>;

/** A line about something that the caller did in his account; it commits with what he did. */
export function logChange(
  trx: Trx,
  caller: Acting,
  subject: LogSubject,
  line: Pick<LogEntry, 'what' | 'from' | 'to' | 'detail' | 'campaignId'>,
): Promise<void> {
  return appendLog(trx, { accountId: caller.accountId, actor: caller.actor, subject, ...line });
}

/**
 * A line with the fields that an update changed; none when nothing changed. Fields in `kept` are named without
 * their values, as texts, phone numbers, names of people and secrets have to be.
 */
export async function logUpdate(
  trx: Trx,
  caller: Acting,
  subject: LogSubject,
  states: { readonly before: object; readonly after: object },
  more: { readonly kept?: readonly string[]; readonly campaignId?: string } = {},
): Promise<void> {
  const changes = changesBetween({ ...states.before }, { ...states.after }, more.kept);
  if (changes === null) return;
  const { from, to, fields } = changes;
  await logChange(trx, caller, subject, {
    what: 'update',
    ...(Object.keys(from).length === 0 ? {} : { from, to }),
    detail: { fields },
    ...(more.campaignId === undefined ? {} : { campaignId: more.campaignId }),
  });
}
