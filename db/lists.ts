import { sql } from 'kysely';
import { contactKey } from './contacts.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';
import { type Listed, nameHas, type Order, orderOf, type Part } from './listing.ts';

/** A named list of contacts. */
export interface ContactList {
  readonly id: string;
  readonly name: string;
  readonly contacts: number;
  readonly version: number;
  readonly createdAt: Date;
}

const CONTACTS = sql<number>`(select count(*)::int from list_members m where m.list_id = lists.id)`;
const COLUMNS = ['id', 'name', 'version', 'created_at as createdAt', CONTACTS.as('contacts')] as const;

/** Makes a list. Null if the account has one of this name, without regard to case. */
export async function insertList(trx: Trx, accountId: string, name: string): Promise<ContactList | null> {
  const row = await trx
    .insertInto('lists')
    .values({ id: newId('lst'), account_id: accountId, name })
    .onConflict((conflict) => conflict.doNothing())
    .returning(['id', 'name', 'version', 'created_at as createdAt'])
    .executeTakeFirst();
  return row === undefined ? null : { ...row, contacts: 0 };
}

/** The list, or null. */
export async function findList(trx: Trx, id: string): Promise<ContactList | null> {
  return (await trx.selectFrom('lists').where('id', '=', id).select(COLUMNS).executeTakeFirst()) ?? null;
}

/** The list, locked against other changes until the transaction ends, or null. */
export async function lockList(
  trx: Trx,
  id: string,
): Promise<{ readonly name: string; readonly version: number } | null> {
  const row = await trx
    .selectFrom('lists')
    .where('id', '=', id)
    .select(['name', 'version'])
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row ?? null;
}

/** Which of these are not lists of the account. */
export async function missingLists(trx: Trx, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await trx.selectFrom('lists').where('id', 'in', ids).select('id').execute();
  return ids.filter((id) => !rows.some((row) => row.id === id));
}

/** What lists can be sorted by. */
export const LIST_SORTS = ['name', 'createdAt', 'contacts'] as const;

/** A page of lists, and how many there are in all. `q` finds a part of a name. */
export async function listLists(
  trx: Trx,
  query: { readonly q?: string } & Order<(typeof LIST_SORTS)[number]> & Part,
): Promise<Listed<ContactList>> {
  let rows = trx.selectFrom('lists');
  if (query.q !== undefined) rows = rows.where(nameHas(sql.ref('name'), query.q));
  const sorts = { name: sql`lower(name)`, createdAt: sql.ref('created_at'), contacts: CONTACTS };
  const [{ total }, items] = await Promise.all([
    rows.select((select) => select.fn.countAll<number>().as('total')).executeTakeFirstOrThrow(),
    rows
      .select(COLUMNS)
      .orderBy(orderOf(sorts[query.sort], query))
      .limit(query.limit)
      .offset(query.offset)
      .execute(),
  ]);
  return { items, total };
}

/** Renames a list. Rejects with PostgreSQL's unique violation if the name is taken. */
export async function renameList(trx: Trx, id: string, name: string): Promise<void> {
  await trx
    .updateTable('lists')
    .set((set) => ({ name, version: set('version', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

/** Removes a list; its contacts stay. */
export async function deleteList(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('lists').where('id', '=', id).execute();
}

/**
 * Puts contacts on a list; those who are on it already stay. Resolves with the ids that name no contact of the
 * account; if there are any, nobody is put on the list.
 */
export async function addMembers(
  trx: Trx,
  accountId: string,
  listId: string,
  contactIds: readonly string[],
): Promise<string[]> {
  const keys = contactIds.map(contactKey);
  const wanted = keys.filter((key) => key !== null);
  // Locked, so that a contact who is deleted meanwhile is missing rather than an error.
  const found = await trx
    .selectFrom('contacts')
    .where('id', '=', sql<number>`any(${wanted})`)
    .select('id')
    .orderBy('id')
    .forKeyShare()
    .execute();
  const known = new Set(found.map((row) => row.id));
  const missing = contactIds.filter((_id, index) => !known.has(keys[index] ?? -1));
  if (missing.length > 0 || known.size === 0) return missing;
  await trx
    .insertInto('list_members')
    .values([...known].map((key) => ({ account_id: accountId, list_id: listId, contact_id: key })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await raiseVersion(trx, listId);
  return [];
}

/** Takes a contact off a list. False if he is not on it. */
export async function removeMember(trx: Trx, listId: string, contactId: string): Promise<boolean> {
  const key = contactKey(contactId);
  if (key === null) return false;
  const { numDeletedRows } = await trx
    .deleteFrom('list_members')
    .where('list_id', '=', listId)
    .where('contact_id', '=', key)
    .executeTakeFirst();
  if (numDeletedRows === 0n) return false;
  await raiseVersion(trx, listId);
  return true;
}

/** Who is on a list is a part of what was read of it. */
async function raiseVersion(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('lists')
    .set((set) => ({ version: set('version', '+', 1) }))
    .where('id', '=', id)
    .execute();
}
