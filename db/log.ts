import type { Insertable } from 'kysely';
import type { Actor } from '../domain/actor.ts';
import type { LogSubject, LogValue } from '../domain/log-line.ts';
import type { Trx } from './database.ts';
import { prepareQuery } from './prepared-query.ts';
import type { Database } from './schema.ts';

/** One line of an account's log: who did what, when and by which way. */
export interface LogEntry {
  /** The account, or the word `operator` for what is done at the installation. */
  readonly accountId: string;
  /** The campaign in whose log it stands too. */
  readonly campaignId?: string;
  /** What it is about; the campaign when nothing else is said. */
  readonly subject?: LogSubject;
  /** A verb: `create`, `update`, `launch`. */
  readonly what: string;
  /** Statuses, or the fields that changed. Never a phone number, a text or a secret, nor a contact's name. */
  readonly from?: LogValue;
  readonly to?: LogValue;
  readonly actionId?: string;
  readonly actor: Actor;
  /** Ids, codes and counts only. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Appends to the log; nothing ever changes or removes a line. */
export async function appendLog(trx: Trx, entry: LogEntry): Promise<void> {
  const subject = subjectOf(entry);
  await insertLine(trx, {
    account_id: entry.accountId,
    campaign_id: entry.campaignId ?? null,
    subject_kind: subject.kind,
    subject_id: subject.id,
    what: entry.what,
    from_value: entry.from === undefined ? null : JSON.stringify(entry.from),
    to_value: entry.to === undefined ? null : JSON.stringify(entry.to),
    action_id: entry.actionId ?? null,
    who: entry.actor.id,
    key_id: entry.actor.keyId ?? null,
    via: entry.actor.via,
    detail: JSON.stringify(entry.detail ?? {}),
  });
}

const insertLine = prepareQuery((db, line: Insertable<Database['log']>) =>
  db
    .insertInto('log')
    .values({
      account_id: line.account_id,
      campaign_id: line.campaign_id,
      subject_kind: line.subject_kind,
      subject_id: line.subject_id,
      what: line.what,
      from_value: line.from_value,
      to_value: line.to_value,
      action_id: line.action_id,
      who: line.who,
      key_id: line.key_id,
      via: line.via,
      detail: line.detail,
    })
    .compile(),
);

function subjectOf(entry: LogEntry): LogSubject {
  if (entry.subject !== undefined) return entry.subject;
  return entry.campaignId === undefined
    ? { kind: 'account', id: entry.accountId }
    : { kind: 'campaign', id: entry.campaignId };
}
