import { type Expression, type ExpressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { LogValue } from '../domain/log-line.ts';
import { nameOfActor } from './actor-names.ts';
import type { Trx } from './database.ts';
import type { Database } from './schema.ts';

/** A line as it is read; names are those of today, also of people who are disabled and of revoked keys. */
export interface LogLine {
  readonly id: number;
  readonly at: Date;
  readonly who: string;
  readonly whoName: string | null;
  readonly keyId: string | null;
  readonly keyName: string | null;
  readonly via: string;
  readonly what: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly campaignId: string | null;
  readonly from: LogValue | null;
  readonly to: LogValue | null;
  readonly actionId: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Which lines; several values of a filter are joined by or. */
export interface LogFilter {
  readonly what?: readonly string[];
  readonly subjectKind?: readonly string[];
  readonly subjectId?: readonly string[];
  readonly campaignId?: readonly string[];
  readonly who?: readonly string[];
  readonly keyId?: readonly string[];
  readonly via?: readonly string[];
  /** Half-open: from this instant on, and before that one. */
  readonly atFrom?: Date;
  readonly atTo?: Date;
}

/** Where a page begins and how it is ordered. */
export interface LogPage {
  /** The last line of the page before. */
  readonly after: number | null;
  readonly order: 'asc' | 'desc';
  readonly limit: number;
}

type LogColumns = ExpressionBuilder<Database, 'log'>;

/**
 * Lines of the transaction's account, in the order of their instants. Null when the line to begin after is none of
 * this account.
 */
export async function readLog(trx: Trx, filter: LogFilter, page: LogPage): Promise<LogLine[] | null> {
  if (page.after !== null && !(await hasLine(trx, page.after))) return null;
  return trx
    .selectFrom('log')
    .where((column) => column.and(conditions(column, filter)))
    .$if(page.after !== null, (query) => query.where(beyond(page)))
    .select((column) => [
      'id',
      'at',
      'who',
      nameOfActor(column.ref('who')).as('whoName'),
      'key_id as keyId',
      nameOfActor(column.ref('key_id')).as('keyName'),
      'via',
      'what',
      'subject_kind as subjectKind',
      'subject_id as subjectId',
      'campaign_id as campaignId',
      'from_value as from',
      'to_value as to',
      'action_id as actionId',
      'detail',
    ])
    .orderBy('at', page.order)
    .orderBy('id', page.order)
    .limit(page.limit)
    .execute();
}

async function hasLine(trx: Trx, id: number): Promise<boolean> {
  const line = await trx.selectFrom('log').where('id', '=', id).select('id').executeTakeFirst();
  return line !== undefined;
}

function conditions(column: LogColumns, filter: LogFilter): Expression<SqlBool>[] {
  const { atFrom, atTo } = filter;
  const named = [
    ['what', filter.what],
    ['subject_kind', filter.subjectKind],
    ['subject_id', filter.subjectId],
    ['campaign_id', filter.campaignId],
    ['who', filter.who],
    ['key_id', filter.keyId],
    ['via', filter.via],
  ] as const;
  return [
    ...named.flatMap(([name, values]) =>
      values === undefined || values.length === 0 ? [] : [column(name, 'in', values)],
    ),
    ...(atFrom === undefined ? [] : [column('at', '>=', atFrom)]),
    ...(atTo === undefined ? [] : [column('at', '<', atTo)]),
  ];
}

/** The instant is read again where it is kept to the microsecond, which a date of this language is not. */
function beyond(page: LogPage): RawBuilder<SqlBool> {
  const direction = page.order === 'asc' ? sql`>` : sql`<`;
  return sql<SqlBool>`(at, id) ${direction} (select l.at, l.id from log l where l.id = ${page.after})`;
}
