import type { Client } from 'pg';

/** Rows of one kind that belong to a part, and how many of them are of another account than it. */
export interface RowCheck {
  readonly what: string;
  readonly rows: number;
  readonly astray: number;
}

/** Of these the parent is the owner, and what they say of a part is checked by name. */
const PARENTS_TABLES = ['central_parts', 'central_sends', 'central_part_lists'];

/** How a table names the campaign that a row belongs to, with the join that finds it. */
const WAYS = [
  { column: 'campaign_id', join: 'join campaigns c on c.id = t.campaign_id' },
  { column: 'campaign_key', join: 'join campaigns c on c.key = t.campaign_key' },
  {
    column: 'message_key',
    join: 'join messages m on m.key = t.message_key join campaigns c on c.id = m.campaign_id',
  },
] as const;

/** What rows of a part point at, with the account of both ends. */
const REFERENCES: readonly { readonly what: string; readonly query: string }[] = [
  {
    what: 'parts and their campaigns',
    query: `select count(*)::int as rows, count(*) filter (
        where c.account_id <> p.sub_account_id or c.parent_id <> p.account_id or c.central_id <> p.central_id)::int as astray
      from central_parts p join campaigns c on c.id = p.campaign_id where p.central_id = $1`,
  },
  {
    what: 'campaigns and their senders',
    query: `select count(*)::int as rows, count(*) filter (where s.account_id <> c.account_id)::int as astray
      from campaigns c join senders s on s.id = c.sender_id where c.central_id = $1`,
  },
  {
    what: 'campaigns and their lists',
    query: `select count(*)::int as rows, count(*) filter (where l.account_id <> c.account_id)::int as astray
      from campaigns c join campaign_lists x on x.campaign_id = c.id join lists l on l.id = x.list_id
      where c.central_id = $1`,
  },
  {
    what: 'recipients and contacts on those lists',
    query: `select count(*)::int as rows, count(*) filter (
        where k.account_id is distinct from c.account_id or k.number is distinct from r.number
          or not exists (select from list_members lm join campaign_lists x on x.list_id = lm.list_id
            where x.campaign_id = c.id and lm.contact_id = k.id and lm.account_id = c.account_id))::int as astray
      from campaigns c join recipients r on r.month = c.audience_month and r.campaign_key = c.key
      left join contacts k on k.id = r.contact_id where c.central_id = $1`,
  },
  {
    what: 'leases and their senders',
    query: `select count(*)::int as rows, count(*) filter (where s.account_id <> c.account_id)::int as astray
      from campaigns c join leases l on l.campaign_key = c.key join senders s on s.id = l.sender_id
      where c.central_id = $1`,
  },
  {
    what: 'attempts and their leases',
    query: `select count(*)::int as rows, count(*) filter (
        where l.account_id is distinct from c.account_id or l.message_key is distinct from a.message_key)::int as astray
      from campaigns c join messages m on m.campaign_id = c.id join attempts a on a.message_key = m.key
      left join leases l on l.month = a.month and l.id = a.lease_id where c.central_id = $1`,
  },
];

/** Follows every row of the parts of a central campaign to its account, through all tables that name a campaign or a message. */
export async function checkRows(db: Client, centralId: string): Promise<RowCheck[]> {
  const checks: RowCheck[] = [];
  for (const { column, join } of WAYS) {
    const { rows: tables } = await db.query<{ name: string }>(
      `select r.relname as name from pg_class r
       join pg_attribute owner on owner.attrelid = r.oid and owner.attname = 'account_id' and not owner.attisdropped
       join pg_attribute named on named.attrelid = r.oid and named.attname = $1 and not named.attisdropped
       where r.relnamespace = 'public'::regnamespace and r.relkind in ('r', 'p') and not r.relispartition
         and r.relname <> all($2) order by 1`,
      [column, PARENTS_TABLES],
    );
    for (const { name } of tables) {
      const query = `select count(*)::int as rows, count(*) filter (where t.account_id <> c.account_id)::int as astray
         from "${name}" t ${join} where c.central_id = $1`;
      checks.push(await check(db, name, query, centralId));
    }
  }
  for (const { what, query } of REFERENCES) checks.push(await check(db, what, query, centralId));
  return checks;
}

async function check(db: Client, what: string, query: string, centralId: string): Promise<RowCheck> {
  const { rows } = await db.query<Omit<RowCheck, 'what'>>(query, [centralId]);
  return { what, rows: rows[0]?.rows ?? 0, astray: rows[0]?.astray ?? 0 };
}
