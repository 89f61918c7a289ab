import { sql } from 'kysely';
import { INSTALLATION } from '../domain/hold.ts';
import {
  alertOfRefusals,
  type CallbackKind,
  type CallbackRefusal,
  causeOf,
  type RefusedCallback,
} from '../domain/refused-callback.ts';
import { raiseAlert } from './alerts.ts';
import { type Db, type Trx, withAccount } from './database.ts';
import { type Listed, type Order, orderOf, type Part } from './listing.ts';

/** So many callbacks that were refused for one reason. */
export interface RefusalCount extends RefusedCallback {
  readonly count: number;
}

/** The same of one day in UTC, as YYYY-MM-DD. */
export interface KeptRefusals extends RefusalCount {
  readonly day: string;
  readonly lastAt: Date;
}

const OPERATOR = 'operator';
const KEPT_DAYS = 400;
/** A cause that nobody has met for so long is gone. */
const QUIET_MS = 60 * 60_000;

/** Counts refusals on the machine's day, and tells the operator of what becomes many. */
export async function countCallbackRefusals(db: Db, refusals: readonly RefusalCount[]): Promise<void> {
  await withAccount(db, OPERATOR, async (trx) => {
    const { rows } = await sql<RefusalCount & { added: number }>`
      insert into callback_refusals as c (day, kind, reason, count, last_at)
      select (clock_timestamp() at time zone 'utc')::date, x.kind, x.reason, x.count, clock_timestamp()
      from jsonb_to_recordset(${JSON.stringify(refusals)}::jsonb) as x(kind text, reason text, count bigint)
      order by x.kind, x.reason
      on conflict (day, kind, reason) do update
        set count = c.count + excluded.count, last_at = greatest(c.last_at, excluded.last_at)
      returning kind, reason, count`.execute(trx);
    for (const row of rows) {
      const added = refusals.find((one) => one.kind === row.kind && one.reason === row.reason)?.count ?? 0;
      await alertOf(trx, row, row.count - added);
    }
    await sql`
      delete from callback_refusals
      where day < (clock_timestamp() at time zone 'utc')::date - ${KEPT_DAYS}::int`.execute(trx);
  });
}

/** Once for each time that as many as are too many have been added, however they are spread over the day. */
async function alertOf(trx: Trx, of: RefusalCount, before: number): Promise<void> {
  const alert = alertOfRefusals(of);
  if (alert === null || Math.floor(of.count / alert.atLeast) === Math.floor(before / alert.atLeast)) return;
  await raiseAlert(trx, {
    accountId: OPERATOR,
    kind: 'callback_refusals',
    severity: 'warning',
    subject: { kind: 'installation', id: INSTALLATION },
    cause: causeOf(of),
    reason: alert.reason,
    remedy: alert.remedy,
  });
}

/** Resolves the alerts whose kind of callback has not been refused for an hour. */
export async function resolveQuietRefusals(db: Db): Promise<void> {
  await withAccount(db, OPERATOR, (trx) =>
    sql`
      update alerts a set resolved_at = clock_timestamp(), version = a.version + 1
      where a.account_id = ${OPERATOR} and a.kind = 'callback_refusals' and a.resolved_at is null
        and not exists (select from callback_refusals c where c.kind || '_' || c.reason = a.cause
          and c.last_at > clock_timestamp() - ${QUIET_MS} * interval '1 millisecond')`.execute(trx),
  );
}

/** What refusals can be sorted by. */
export const REFUSAL_SORTS = ['day', 'count'] as const;

/** Which refusals; days as YYYY-MM-DD, both inclusive. */
export interface RefusalQuery extends Order<(typeof REFUSAL_SORTS)[number]>, Part {
  readonly kinds: readonly CallbackKind[];
  readonly reasons: readonly CallbackRefusal[];
  readonly from?: string;
  readonly to?: string;
}

/** A page of what was refused, by day, kind and reason, and how many rows there are. */
export async function listCallbackRefusals(trx: Trx, query: RefusalQuery): Promise<Listed<KeptRefusals>> {
  const { kinds, reasons, from, to } = query;
  let rows = trx.selectFrom('callback_refusals');
  if (kinds.length > 0) rows = rows.where('kind', 'in', kinds);
  if (reasons.length > 0) rows = rows.where('reason', 'in', reasons);
  if (from !== undefined) rows = rows.where('day', '>=', from);
  if (to !== undefined) rows = rows.where('day', '<=', to);
  const sorts = { day: sql.ref('day'), count: sql.ref('count') };
  const [{ total }, items] = await Promise.all([
    rows.select((select) => select.fn.countAll<number>().as('total')).executeTakeFirstOrThrow(),
    rows
      .select(['day', 'kind', 'reason', 'count', 'last_at as lastAt'])
      .orderBy(orderOf(sorts[query.sort], query, sql`(day, kind, reason)`))
      .limit(query.limit)
      .offset(query.offset)
      .execute(),
  ]);
  return { items, total };
}
