import { type ExpressionBuilder, type SqlBool, type Expression, sql } from 'kysely';
import type { AlertKind, AlertSeverity, AlertState } from '../domain/alert.ts';
import { nameOfActor } from './actor-names.ts';
import type { Trx } from './database.ts';
import { prepareQuery } from './prepared-query.ts';
import type { Database } from './schema.ts';

/** An alert as it is read. */
export interface Alert {
  readonly id: string;
  readonly kind: AlertKind;
  readonly severity: AlertSeverity;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly campaignId: string | null;
  readonly cause: string;
  readonly reason: string;
  readonly remedy: string;
  readonly count: number;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  readonly acknowledgedAt: Date | null;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedByName: string | null;
  readonly resolvedAt: Date | null;
  readonly version: number;
}

/** Which alerts; several values of a filter are joined by or. */
export interface AlertFilter {
  readonly kinds?: readonly AlertKind[];
  readonly severities?: readonly AlertSeverity[];
  readonly states?: readonly AlertState[];
  readonly campaignIds?: readonly string[];
  readonly subjectIds?: readonly string[];
}

/** The most alerts that stand on a campaign itself. */
const LATEST_MAX = 20;

const COLUMNS = [
  'id',
  'kind',
  'severity',
  'subject_kind as subjectKind',
  'subject_id as subjectId',
  'campaign_id as campaignId',
  'cause',
  'reason',
  'remedy',
  'count',
  'first_seen_at as firstSeenAt',
  'last_seen_at as lastSeenAt',
  'acknowledged_at as acknowledgedAt',
  'acknowledged_by as acknowledgedBy',
  'resolved_at as resolvedAt',
  'version',
] as const;
const ACKNOWLEDGER = nameOfActor(sql.ref('alerts.acknowledged_by')).as('acknowledgedByName');

/** A page of the account's alerts, the latest first, and how many there are in all. */
export async function listAlerts(
  trx: Trx,
  filter: AlertFilter,
  page: { readonly offset: number; readonly limit: number },
): Promise<{ items: Alert[]; total: number }> {
  const rows = trx.selectFrom('alerts').where((column) => column.and(conditions(column, filter)));
  const { total } = await rows
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  const items = await rows
    .select(COLUMNS)
    .select(ACKNOWLEDGER)
    .orderBy('last_seen_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute();
  return { items, total };
}

/** The alert, or null when this account has none of this id. */
export async function findAlert(trx: Trx, id: string): Promise<Alert | null> {
  const row = await trx
    .selectFrom('alerts')
    .where('id', '=', id)
    .select(COLUMNS)
    .select(ACKNOWLEDGER)
    .executeTakeFirst();
  return row ?? null;
}

/** The same, locked until the transaction ends, so that the version that a change was checked against still holds. */
export async function lockAlert(trx: Trx, id: string): Promise<Alert | null> {
  await trx.selectFrom('alerts').where('id', '=', id).select('id').forNoKeyUpdate().execute();
  return findAlert(trx, id);
}

/** What is open about a campaign, its sender or that one's carrier account, the latest first. */
export async function latestAlerts(trx: Trx, campaignId: string): Promise<Alert[]> {
  return askForLatestAlerts(trx, { campaignId });
}

const askForLatestAlerts = prepareQuery((db, { campaignId }: { readonly campaignId: string }) => {
  const subjects = sql<string>`any(array(
    select unnest(array[c.id, s.id, s.carrier_account_id])
    from campaigns c
      -- A central campaign has a sender for its tests only.
      left join senders s on s.id = c.sender_id and (c.kind = 'standard' or c.central_id is not null)
    where c.id = ${campaignId}))`;
  return db
    .selectFrom('alerts')
    .where('resolved_at', 'is', null)
    .where((column) =>
      column.or([column('campaign_id', '=', campaignId), column('subject_id', '=', subjects)]),
    )
    .select(COLUMNS)
    .select(ACKNOWLEDGER)
    .orderBy('last_seen_at', 'desc')
    .orderBy('id', 'desc')
    .limit(LATEST_MAX)
    .compile();
});

/** Writes who takes care of an alert, the first time only. False when somebody did before. */
export async function acknowledgeAlert(trx: Trx, id: string, actorId: string): Promise<boolean> {
  const acknowledged = await trx
    .updateTable('alerts')
    .set((set) => ({
      acknowledged_at: sql<Date>`clock_timestamp()`,
      acknowledged_by: actorId,
      version: set('version', '+', 1),
    }))
    .where('id', '=', id)
    .where('acknowledged_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return acknowledged !== undefined;
}

function conditions(
  column: ExpressionBuilder<Database, 'alerts'>,
  filter: AlertFilter,
): Expression<SqlBool>[] {
  const { kinds = [], severities = [], states = [], campaignIds = [], subjectIds = [] } = filter;
  const ofState: Record<AlertState, Expression<SqlBool>> = {
    open: column.and([column('resolved_at', 'is', null), column('acknowledged_at', 'is', null)]),
    acknowledged: column.and([column('resolved_at', 'is', null), column('acknowledged_at', 'is not', null)]),
    resolved: column('resolved_at', 'is not', null),
  };
  return [
    ...(kinds.length === 0 ? [] : [column('kind', 'in', kinds)]),
    ...(severities.length === 0 ? [] : [column('severity', 'in', severities)]),
    ...(states.length === 0 ? [] : [column.or(states.map((state) => ofState[state]))]),
    ...(campaignIds.length === 0 ? [] : [column('campaign_id', 'in', campaignIds)]),
    ...(subjectIds.length === 0 ? [] : [column('subject_id', 'in', subjectIds)]),
  ];
}
