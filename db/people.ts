import { sql } from 'kysely';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';
import { type Listed, nameHas, type Order, orderOf, type Part } from './listing.ts';

/** A person who works for an account. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly disabledAt: Date | null;
  readonly createdAt: Date;
  readonly version: number;
}

const COLUMNS = [
  'id',
  'name',
  'address',
  'disabled_at as disabledAt',
  'created_at as createdAt',
  'version',
] as const;

/** The person, or null when nobody of this id works for the account. */
export async function findPerson(trx: Trx, id: string): Promise<Person | null> {
  return (await trx.selectFrom('people').where('id', '=', id).select(COLUMNS).executeTakeFirst()) ?? null;
}

/** The same, locked until the transaction ends, so that the version that a change was checked against still holds. */
export async function lockPerson(trx: Trx, id: string): Promise<Person | null> {
  const row = await trx
    .selectFrom('people')
    .where('id', '=', id)
    .select(COLUMNS)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row ?? null;
}

/** What people can be sorted by. */
export const PERSON_SORTS = ['name', 'address', 'createdAt'] as const;

/** A page of the people of the account, and how many there are. `q` finds a part of a name or an address. */
export async function listPeople(
  trx: Trx,
  query: { readonly q?: string; readonly disabled?: boolean } & Order<(typeof PERSON_SORTS)[number]> & Part,
): Promise<Listed<Person>> {
  let rows = trx.selectFrom('people');
  const { q, disabled } = query;
  if (q !== undefined) {
    rows = rows.where((where) => where.or([nameHas(sql.ref('name'), q), nameHas(sql.ref('address'), q)]));
  }
  if (disabled !== undefined) rows = rows.where('disabled_at', disabled ? 'is not' : 'is', null);
  const sorts = { name: sql`lower(name)`, address: sql`lower(address)`, createdAt: sql.ref('created_at') };
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

/** Adds a person. */
export async function insertPerson(
  trx: Trx,
  person: { readonly accountId: string; readonly name: string; readonly address: string },
): Promise<string> {
  const id = newId('per');
  await trx
    .insertInto('people')
    .values({ id, account_id: person.accountId, name: person.name, address: person.address })
    .execute();
  return id;
}

/** Changes a person; disabling keeps the name on everything that was done. */
export async function updatePerson(
  trx: Trx,
  id: string,
  changes: { readonly name?: string; readonly address?: string; readonly disabledAt?: Date | null },
): Promise<void> {
  await trx
    .updateTable('people')
    .set((set) => ({
      ...(changes.name === undefined ? {} : { name: changes.name }),
      ...(changes.address === undefined ? {} : { address: changes.address }),
      ...(changes.disabledAt === undefined ? {} : { disabled_at: changes.disabledAt }),
      version: set('version', '+', 1),
    }))
    .where('id', '=', id)
    .execute();
}
