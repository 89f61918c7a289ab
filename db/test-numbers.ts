import type { Trx } from './database.ts';
import { newId } from './ids.ts';

/** A number of the account's own people, to which messages are sent on trial. */
export interface TestNumber {
  readonly id: string;
  /** E.164. */
  readonly number: string;
  readonly numberHash: Buffer;
  readonly country: string;
  readonly name: string | null;
  readonly createdAt: Date;
}

/** The account's test numbers in the order in which they were registered. */
export async function listTestNumbers(trx: Trx): Promise<TestNumber[]> {
  return trx
    .selectFrom('test_numbers')
    .select(['id', 'number', 'number_hash as numberHash', 'country', 'name', 'created_at as createdAt'])
    .orderBy('id')
    .execute();
}

/** Registers a number. Throws PostgreSQL's unique violation when it is registered; the account has to be locked. */
export async function insertTestNumber(
  trx: Trx,
  accountId: string,
  entry: Pick<TestNumber, 'number' | 'numberHash' | 'country' | 'name'>,
): Promise<string> {
  const id = newId('tnr');
  await trx
    .insertInto('test_numbers')
    .values({
      id,
      account_id: accountId,
      number: entry.number,
      number_hash: entry.numberHash,
      country: entry.country,
      name: entry.name,
    })
    .execute();
  return id;
}

/** Removes a number. False when the account has none of this id. */
export async function deleteTestNumber(trx: Trx, id: string): Promise<boolean> {
  const deleted = await trx
    .deleteFrom('test_numbers')
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst();
  return deleted !== undefined;
}
