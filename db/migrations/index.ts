import type { Migration } from 'kysely';
import * as roles from './0001-roles.ts';
import * as accounts from './0002-accounts.ts';
import * as contacts from './0003-contacts.ts';
import * as campaigns from './0004-campaigns.ts';
import * as ledger from './0005-ledger.ts';
import * as systemFunctions from './0006-system-functions.ts';

/** Every migration by name, in the order in which they run. Kysely asks that the names sort that way. */
export const MIGRATIONS: Record<string, Migration> = {
  '0001-roles': roles,
  '0002-accounts': accounts,
  '0003-contacts': contacts,
  '0004-campaigns': campaigns,
  '0005-ledger': ledger,
  '0006-system-functions': systemFunctions,
};
