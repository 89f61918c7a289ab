import type { Trx } from './database.ts';
import { newId } from './ids.ts';

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

/** A page of the people of the account, and how many there are. */
export async function listPeople(
  trx: Trx,
  page: { readonly offset: number; readonly limit: number },
): Promise<{ items: Person[]; total: number }> {
  const items = await trx
    .selectFrom('people')
    .select(COLUMNS)
    .orderBy('id')
    .limit(page.limit)
    .offset(page.offset)
    .execute();
  const { total } = await trx
    .selectFrom('people')
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
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
