import type { Trx } from './database.ts';
import { prepareQuery } from './prepared-query.ts';

/** Where an account's clock stands, and what its texts are made with. */
export interface AccountClock {
  readonly name: string;
  readonly senderName: string;
  readonly prefix: string;
  readonly suffix: string;
  readonly timeZone: string;
  readonly quietStart: string;
  readonly quietEnd: string;
}

/** Of an account that exists. */
export async function readAccountClock(trx: Trx, accountId: string): Promise<AccountClock> {
  const [clock] = await askForClock(trx, { accountId });
  if (clock === undefined) throw new Error(`There is no account ${accountId}.`);
  return clock;
}

const askForClock = prepareQuery((db, { accountId }: { readonly accountId: string }) =>
  db
    .selectFrom('accounts')
    .where('id', '=', accountId)
    .select([
      'name',
      'sender_name as senderName',
      'prefix',
      'suffix',
      'time_zone as timeZone',
      'quiet_start as quietStart',
      'quiet_end as quietEnd',
    ])
    .compile(),
);
