import { sql } from 'kysely';
import type { AlertKind, AlertSeverity, AlertSubject } from '../domain/alert.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';

/** A cause that needs somebody. */
export interface AlertRequest {
  readonly accountId: string;
  readonly kind: AlertKind;
  readonly severity: AlertSeverity;
  readonly subject: AlertSubject;
  /** The campaign on which it is shown too. */
  readonly campaignId?: string;
  /** A code. While the alert is open, the same kind, subject and cause are the same alert. */
  readonly cause: string;
  /** Sentences for people: what is the matter, and what mends it. Without numbers, texts and names of contacts. */
  readonly reason: string;
  readonly remedy: string;
}

/**
 * Raises an alert, or counts once more the one that is open for this cause. Its row is locked until the
 * transaction ends, so it comes after every lock that sending needs.
 */
export async function raiseAlert(trx: Trx, request: AlertRequest): Promise<void> {
  const words = { severity: request.severity, reason: request.reason, remedy: request.remedy };
  await trx
    .insertInto('alerts')
    .values({
      id: newId('alt'),
      account_id: request.accountId,
      kind: request.kind,
      subject_kind: request.subject.kind,
      subject_id: request.subject.id,
      campaign_id: request.campaignId ?? null,
      cause: request.cause,
      ...words,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['account_id', 'kind', 'subject_id', 'cause'])
        .where('resolved_at', 'is', null)
        .doUpdateSet({
          ...words,
          count: sql<number>`alerts.count + 1`,
          last_seen_at: sql<Date>`clock_timestamp()`,
          version: sql<number>`alerts.version + 1`,
        }),
    )
    .execute();
}

/** Resolves what is open of this kind for a subject, because its cause is gone. Resolves with how many that were. */
export async function resolveAlerts(
  trx: Trx,
  which: {
    readonly accountId: string;
    readonly kind: AlertKind;
    readonly subjectId: string;
    readonly cause?: string;
  },
): Promise<number> {
  const { cause } = which;
  const resolved = await trx
    .updateTable('alerts')
    .set((set) => ({ resolved_at: sql<Date>`clock_timestamp()`, version: set('version', '+', 1) }))
    .where('account_id', '=', which.accountId)
    .where('kind', '=', which.kind)
    .where('subject_id', '=', which.subjectId)
    .where('resolved_at', 'is', null)
    .$if(cause !== undefined, (update) => update.where('cause', '=', cause ?? ''))
    .returning('id')
    .execute();
  return resolved.length;
}
