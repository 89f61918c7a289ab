import type { Client } from 'pg';
import { newAccountId } from '../db/accounts.ts';
import { newId } from '../db/ids.ts';
import type { DispatchAccount } from './dispatch-data.ts';

/** What an account of many is to look like. */
export interface PlannedAccount {
  /** How many its list holds. */
  readonly contacts: number;
  readonly parentId?: string;
}

/** Short codes of six digits, one for each account: a carrier account knows a number once. */
const FIRST_CODE = 100_000;
const FIRST_NUMBER = 2_000_000_000;

/**
 * Makes accounts with a list each and an unpaced sender, all of one carrier account without limits, by a few statements
 * for all of them. They are what `seedDispatchAccount` makes one by one; nobody is a contact of two.
 */
export async function seedAccounts(
  owner: Client,
  carrierAccountId: string,
  planned: readonly PlannedAccount[],
): Promise<DispatchAccount[]> {
  const accounts = planned.map(({ contacts }) => ({
    accountId: newAccountId(),
    personId: newId('per'),
    senderId: newId('snd'),
    listId: newId('lst'),
    contacts,
  }));
  const { rows } = await owner.query<{ place: number; people: number }>(
    `select (select count(*)::int from senders where carrier_account_id = $1) as place,
       (select count(*)::int from contacts) as people`,
    [carrierAccountId],
  );
  const { place = 0, people = 0 } = rows[0] ?? {};
  let first = FIRST_NUMBER + people;
  const given = accounts.map((account, index) => {
    const row = {
      ...account,
      parentId: planned[index]?.parentId ?? null,
      address: String(FIRST_CODE + place + index),
      first,
    };
    first += account.contacts;
    return row;
  });
  await owner.query(`create temporary table given (
    "accountId" text, "personId" text, "senderId" text, "listId" text, contacts integer, "parentId" text,
    address text, first bigint)`);
  await owner.query('insert into given select * from jsonb_populate_recordset(null::given, $1::jsonb)', [
    JSON.stringify(given),
  ]);
  // There is nothing about it to be known otherwise, and a nested loop over it would take minutes.
  await owner.query('analyze given');
  for (const statement of ROWS_OF_ACCOUNTS) await owner.query(statement);
  await owner.query(
    `insert into senders (id, account_id, address, type, supports_mms, registration, carrier_account_id)
     select "senderId", "accountId", address, 'short_code', false, 'approved', $1 from given`,
    [carrierAccountId],
  );
  for (const statement of ROWS_OF_SENDERS_AND_CONTACTS) await owner.query(statement);
  await owner.query('drop table given');
  return accounts;
}

/** They have no quiet hours, so that they can be measured at night, too. */
const ROWS_OF_ACCOUNTS = [
  `insert into accounts (id, name, time_zone, sender_name, default_country, countries, quiet_start, quiet_end, parent_id)
   select "accountId", 'Bench ' || address, 'America/New_York', 'Bench', 'US', '{US}', '00:00', '00:00', "parentId"
   from given`,
  'insert into gates (scope_id) select "accountId" from given',
  `insert into people (id, account_id, name, address)
   select "personId", "accountId", 'Owner', 'owner@example.com' from given`,
  `insert into lists (id, account_id, name) select "listId", "accountId", 'Everybody' from given`,
];

const ROWS_OF_SENDERS_AND_CONTACTS = [
  `insert into sender_paces (sender_id, kind, account_id)
   select "senderId", kind, "accountId" from given cross join unnest('{sms,mms}'::text[]) kind`,
  'insert into gates (scope_id) select "senderId" from given',
  `with made as (
     insert into contacts (account_id, number, number_hash, country, first_name)
     select "accountId", '+1' || (first + i), decode(md5((first + i)::text), 'hex'), 'US', 'Name' || i
     from given cross join lateral generate_series(0, contacts - 1) i
     returning id, account_id
   )
   insert into list_members (account_id, list_id, contact_id)
   select made.account_id, "listId", made.id from made join given on "accountId" = made.account_id`,
];
