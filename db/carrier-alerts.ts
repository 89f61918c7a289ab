import { sql } from 'kysely';
import type { AlertSeverity } from '../domain/alert.ts';
import { CARRIER_TROUBLES, type CarrierTrouble } from '../domain/carrier-trouble.ts';
import { raiseAlert, resolveAlerts } from './alerts.ts';
import { type Db, type Trx, withAccount } from './database.ts';

/** Tells the transaction's account that something is the matter with a carrier account of its senders. */
export async function raiseCarrierTrouble(
  trx: Trx,
  of: { readonly accountId: string; readonly carrierAccountId: string },
  trouble: CarrierTrouble,
): Promise<void> {
  await raiseAlert(trx, {
    accountId: of.accountId,
    kind: 'carrier_trouble',
    subject: { kind: 'carrier_account', id: of.carrierAccountId },
    cause: trouble,
    ...CARRIER_TROUBLES[trouble],
  });
}

/**
 * The carrier has taken a text: whatever was the matter longer than `quietMs` (machine time) ago is over. What was
 * seen since may be younger than that text.
 */
export async function resolveCarrierTrouble(
  trx: Trx,
  of: { readonly accountId: string; readonly carrierAccountId: string },
  quietMs: number,
): Promise<void> {
  await trx
    .updateTable('alerts')
    .set((set) => ({ resolved_at: sql<Date>`clock_timestamp()`, version: set('version', '+', 1) }))
    .where('account_id', '=', of.accountId)
    .where('kind', '=', 'carrier_trouble')
    .where('subject_id', '=', of.carrierAccountId)
    .where('resolved_at', 'is', null)
    .where('last_seen_at', '<=', sql<Date>`clock_timestamp() - ${quietMs} * interval '1 millisecond'`)
    .execute();
}

const OPERATOR = 'operator';

/** Tells the operator what accounts see of the carrier accounts, which are his, until none sees it any more. */
export async function watchCarrierTroubles(db: Db): Promise<void> {
  const seen = await sql<{
    carrierAccountId: string;
    cause: string;
    severity: AlertSeverity;
    reason: string;
    remedy: string;
  }>`select carrier_account_id as "carrierAccountId", cause, severity, reason, remedy from carrier_troubles()`.execute(
    db,
  );
  await withAccount(db, OPERATOR, async (trx) => {
    const open = await trx
      .selectFrom('alerts')
      .where('kind', '=', 'carrier_trouble')
      .where('resolved_at', 'is', null)
      .select(['subject_id as carrierAccountId', 'cause'])
      .execute();
    const isIn = (list: readonly { carrierAccountId: string; cause: string }[], one: (typeof open)[number]) =>
      list.some((other) => other.carrierAccountId === one.carrierAccountId && other.cause === one.cause);
    for (const { carrierAccountId, cause } of open.filter((one) => !isIn(seen.rows, one))) {
      await resolveAlerts(trx, {
        accountId: OPERATOR,
        kind: 'carrier_trouble',
        subjectId: carrierAccountId,
        cause,
      });
    }
    for (const trouble of seen.rows.filter((one) => !isIn(open, one))) {
      const { carrierAccountId, ...words } = trouble;
      await raiseAlert(trx, {
        accountId: OPERATOR,
        kind: 'carrier_trouble',
        subject: { kind: 'carrier_account', id: carrierAccountId },
        ...words,
      });
    }
  });
}
