import { sql } from 'kysely';
import { parsePublicId, publicId } from '../domain/public-id.ts';
import type { Trx } from './database.ts';
import { nameHas } from './listing.ts';

/** A person with a number, unique in the account. */
export interface Contact {
  readonly id: string;
  readonly number: string;
  readonly country: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly timeZone: string | null;
  readonly custom: Readonly<Record<string, string>>;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What is given of a contact; what is left out stays as it is. */
export interface ContactChanges {
  readonly number?: { readonly number: string; readonly country: string; readonly hash: Buffer };
  readonly firstName?: string | null;
  readonly lastName?: string | null;
  readonly timeZone?: string | null;
  readonly custom?: Readonly<Record<string, string>>;
}

/** A new contact needs a number. */
export type NewContact = ContactChanges & { readonly number: NonNullable<ContactChanges['number']> };

/** The prefix of a contact's public id. */
export const CONTACT_PREFIX = 'con';

const COLUMNS = [
  'contacts.id',
  'number',
  'country',
  'first_name as firstName',
  'last_name as lastName',
  'time_zone as timeZone',
  'custom',
  'version',
  'created_at as createdAt',
  'updated_at as updatedAt',
] as const;

/** The key of a contact's public id; null if it is not the id of a contact. */
export function contactKey(id: string): number | null {
  const key = parsePublicId(CONTACT_PREFIX, id);
  return key === null || key > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(key);
}

/** Makes a contact. Null if the account has one with this number. */
export async function insertContact(
  trx: Trx,
  accountId: string,
  contact: NewContact,
): Promise<Contact | null> {
  const row = await trx
    .insertInto('contacts')
    .values({
      account_id: accountId,
      number: contact.number.number,
      number_hash: contact.number.hash,
      country: contact.number.country,
      first_name: contact.firstName ?? null,
      last_name: contact.lastName ?? null,
      time_zone: contact.timeZone ?? null,
      custom: JSON.stringify(contact.custom ?? {}),
    })
    .onConflict((conflict) => conflict.columns(['account_id', 'number']).doNothing())
    .returning(COLUMNS)
    .executeTakeFirst();
  return row === undefined ? null : contactOf(row);
}

/** The contact with this id, or null. */
export async function findContact(trx: Trx, id: string): Promise<Contact | null> {
  const key = contactKey(id);
  if (key === null) return null;
  const row = await trx.selectFrom('contacts').where('id', '=', key).select(COLUMNS).executeTakeFirst();
  return row === undefined ? null : contactOf(row);
}

/** The contact with this id, locked against other changes until the transaction ends, or null. */
export async function lockContact(trx: Trx, id: string): Promise<Contact | null> {
  const key = contactKey(id);
  if (key === null) return null;
  const row = await trx
    .selectFrom('contacts')
    .where('id', '=', key)
    .select(COLUMNS)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row === undefined ? null : contactOf(row);
}

/** The contact with this number in E.164, or null. */
export async function findContactByNumber(
  trx: Trx,
  accountId: string,
  number: string,
): Promise<Contact | null> {
  const row = await trx
    .selectFrom('contacts')
    .where('account_id', '=', accountId)
    .where('number', '=', number)
    .select(COLUMNS)
    .executeTakeFirst();
  return row === undefined ? null : contactOf(row);
}

/** Which contacts, and from where on; several values of a filter are joined by or. */
export interface ContactQuery {
  readonly afterKey: number;
  readonly limit: number;
  /** A part of the first and last name. */
  readonly q?: string;
  readonly listIds?: readonly string[];
  readonly countries?: readonly string[];
  readonly timeZones?: readonly string[];
}

/** Contacts after a cursor, the oldest first. */
export async function listContacts(trx: Trx, query: ContactQuery): Promise<Contact[]> {
  let rows = trx
    .selectFrom('contacts')
    .where('contacts.id', '>', query.afterKey)
    .select(COLUMNS)
    .orderBy('contacts.id')
    .limit(query.limit);
  const { q, listIds, countries, timeZones } = query;
  if (q !== undefined) rows = rows.where(nameHas(FULL_NAME, q));
  if (countries !== undefined) rows = rows.where('country', 'in', countries);
  if (timeZones !== undefined) rows = rows.where('time_zone', 'in', timeZones);
  const [listId, ...more] = listIds ?? [];
  if (listId !== undefined && more.length === 0) {
    rows = rows
      .innerJoin('list_members', 'list_members.contact_id', 'contacts.id')
      .where('list_members.list_id', '=', listId);
  } else if (listIds !== undefined) {
    rows = rows.where((where) =>
      where.exists(
        where
          .selectFrom('list_members')
          .whereRef('list_members.contact_id', '=', 'contacts.id')
          .where('list_members.list_id', 'in', listIds)
          .select('list_members.list_id'),
      ),
    );
  }
  return (await rows.execute()).map(contactOf);
}

const FULL_NAME = sql`concat_ws(' ', first_name, last_name)`;

/** Changes a contact. Rejects with PostgreSQL's unique violation if its new number is another contact's. */
export async function updateContact(trx: Trx, id: string, changes: ContactChanges): Promise<Contact | null> {
  const key = contactKey(id);
  if (key === null) return null;
  const { number, firstName, lastName, timeZone, custom } = changes;
  const row = await trx
    .updateTable('contacts')
    .set((set) => ({
      ...(number === undefined
        ? {}
        : { number: number.number, number_hash: number.hash, country: number.country }),
      ...(firstName === undefined ? {} : { first_name: firstName }),
      ...(lastName === undefined ? {} : { last_name: lastName }),
      ...(timeZone === undefined ? {} : { time_zone: timeZone }),
      ...(custom === undefined ? {} : { custom: JSON.stringify(custom) }),
      version: set('version', '+', 1),
      updated_at: sql<Date>`clock_timestamp()`,
    }))
    .where('id', '=', key)
    .returning(COLUMNS)
    .executeTakeFirst();
  return row === undefined ? null : contactOf(row);
}

/** Removes a contact from the account and its lists. What campaigns have sent stays in their ledger. */
export async function deleteContact(trx: Trx, id: string): Promise<void> {
  const key = contactKey(id);
  if (key !== null) await trx.deleteFrom('contacts').where('id', '=', key).execute();
}

function contactOf(row: Omit<Contact, 'id'> & { readonly id: number }): Contact {
  return { ...row, id: publicId(CONTACT_PREFIX, String(row.id)) };
}
