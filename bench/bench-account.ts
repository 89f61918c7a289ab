import { insertAccount } from '../db/accounts.ts';
import { insertApiKey } from '../db/api-keys.ts';
import type { Trx } from '../db/database.ts';
import { ACCOUNT_SCOPES, makeApiKey } from '../db/make-api-key.ts';

/** Makes the account that the transaction acts for. It has no quiet hours, so that it can be measured at night, too. */
export function insertBenchAccount(trx: Trx, accountId: string): Promise<void> {
  return insertAccount(trx, accountId, {
    name: 'Bench',
    timeZone: 'America/New_York',
    senderName: 'Bench',
    defaultCountry: 'US',
    countries: ['US'],
    quietStart: '00:00',
    quietEnd: '00:00',
  });
}

/** Makes a key of that account that may do everything, and resolves with it. */
export async function insertBenchKey(trx: Trx, accountId: string): Promise<string> {
  const { key, prefix, hash } = makeApiKey();
  await insertApiKey(trx, {
    accountId,
    name: 'Bench',
    prefix,
    hash,
    scopes: ACCOUNT_SCOPES,
    expiresAt: null,
  });
  return key;
}
