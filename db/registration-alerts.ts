import { sql } from 'kysely';
import { REGISTRATION_WARNING_DAYS, registrationNeed } from '../domain/registration.ts';
import { raiseAlert, resolveAlerts } from './alerts.ts';
import { type Db, type Trx, withAccount } from './database.ts';
import { appendLog } from './log.ts';
import { lockSender, type Sender, updateSender } from './senders.ts';

const EXPIRES = 'registration_expires';
const LAPSED = 'registration_lapsed';
const DAY_MS = 86_400_000;

/** Raises and resolves what a sender's registration needs of somebody at the instant (epoch milliseconds). */
export async function reviewRegistration(
  trx: Trx,
  accountId: string,
  sender: Sender,
  at: number,
): Promise<void> {
  const need = sender.disabledAt === null ? registrationNeed(sender, at) : 'nothing';
  const of = { accountId, kind: 'registration_lapsing', subjectId: sender.id } as const;
  if (need !== 'soon') await resolveAlerts(trx, { ...of, cause: EXPIRES });
  if (need !== 'now') await resolveAlerts(trx, { ...of, cause: LAPSED });
  if (need === 'nothing') return;
  const day = sender.registrationExpiresOn ?? '';
  await raiseAlert(trx, {
    accountId,
    kind: 'registration_lapsing',
    subject: { kind: 'sender', id: sender.id },
    ...(need === 'soon'
      ? {
          severity: 'warning',
          cause: EXPIRES,
          reason: `The sender's registration ends with ${day}; from then on its campaigns are suspended.`,
          remedy: 'Renew it with the carrier, then give the sender its new registrationExpiresOn.',
        }
      : {
          severity: 'critical',
          cause: LAPSED,
          reason: `The sender's registration ended with ${day}, so it sends nothing.`,
          remedy:
            'Renew it with the carrier, give the sender its new registrationExpiresOn and registration "approved", then resume its campaigns.',
        }),
  });
}

/**
 * Marks senders whose last day is over as lapsed, and tells their accounts of those near it, once. Resolves with
 * the accounts whose campaigns have to look again.
 */
export async function watchRegistrations(db: Db, at: number, howMany: number): Promise<string[]> {
  const today = new Date(at).toISOString().slice(0, 10);
  // A registration lapses when its last day is over, a day after that day begins.
  const horizon = new Date(at + (REGISTRATION_WARNING_DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  const found = await sql<{ id: string; accountId: string }>`
    select id, account_id as "accountId" from senders_to_warn(${today}, ${horizon}, ${howMany})`.execute(db);
  const lapsed = new Set<string>();
  for (const { id, accountId } of found.rows) {
    if (await withAccount(db, accountId, (trx) => warn(trx, accountId, id, at))) lapsed.add(accountId);
  }
  return [...lapsed];
}

/** True when it has lapsed. Its row is locked, so that whoever renews it at this moment is not overruled. */
async function warn(trx: Trx, accountId: string, id: string, at: number): Promise<boolean> {
  const sender = await lockSender(trx, id);
  if (sender === null || sender.registration !== 'approved') return false;
  const isOver = registrationNeed(sender, at) === 'now';
  if (isOver) {
    await updateSender(trx, id, { registration: 'lapsed' });
    await appendLog(trx, {
      accountId,
      subject: { kind: 'sender', id },
      what: 'update',
      from: { registration: 'approved' },
      to: { registration: 'lapsed' },
      actor: { id: 'system', via: 'system' },
    });
  }
  await reviewRegistration(trx, accountId, sender, at);
  return isOver;
}
