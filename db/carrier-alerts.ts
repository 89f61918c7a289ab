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

/** What the account has been told of its sender's carrier account, as sentences, and is not over as far as is known. */
export async function openCarrierTroubles(trx: Trx, senderId: string): Promise<string[]> {
  const open = await trx
    .selectFrom('alerts as a')
    .innerJoin('senders as s', 's.carrier_account_id', 'a.subject_id')
    .where('s.id', '=', senderId)
    .where('a.kind', '=', 'carrier_trouble')
    .where('a.resolved_at', 'is', null)
    .select(['a.reason', 'a.remedy'])
    .orderBy('a.cause')
    .execute();
  return open.map(({ reason, remedy }) => `${reason} ${remedy}`);
}

/** How long all has to be well before a trouble counts as over, so that a carrier that limps is one alert. */
const QUIET_MS = 20_000;

const OPERATOR = 'operator';

/**
 * Resolves what accounts were told of carrier accounts once texts are taken again, and tells the operator, whose those
 * are, what is left of it.
 */
export async function watchCarrierTroubles(db: Db, quietMs = QUIET_MS): Promise<void> {
  await sql`select resolve_carrier_alerts(${quietMs})`.execute(db);
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
