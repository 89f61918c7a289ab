import { newAccountId } from '../db/accounts.ts';
import { openDatabase, openPool, withAccount } from '../db/database.ts';
import { insertList } from '../db/lists.ts';
import { insertBenchAccount, insertBenchKey } from './bench-account.ts';

/** An account with as many campaigns as were asked for, and a key of it. */
export interface ApiBenchData {
  readonly accountId: string;
  readonly key: string;
}

/** The id of the campaign at this index, from 1. */
export function campaignIdAt(index: number): string {
  return `cmp_${String(index).padStart(26, '0')}`;
}

/** Fills a fresh database: an account with campaigns, each with a list and a message, beside a smaller account. */
export async function seedCampaigns(databaseUrl: string, campaigns: number): Promise<ApiBenchData> {
  const pool = openPool({ connectionString: databaseUrl, connectionsMax: 1, role: 'carillon_app' });
  const db = openDatabase(pool);
  const [accountId, otherId] = [newAccountId(), newAccountId()];
  for (const id of [accountId, otherId]) {
    await withAccount(db, id, (trx) => insertBenchAccount(trx, id));
  }
  const [key, list] = await withAccount(db, accountId, async (trx) => [
    await insertBenchKey(trx, accountId),
    await insertList(trx, accountId, 'Everybody'),
  ]);
  await db.destroy();
  const owner = openPool({ connectionString: databaseUrl, connectionsMax: 1, role: 'owner' });
  await owner.query(
    `insert into campaigns (id, account_id, name, status, created_by, created_at)
     select 'cmp_' || lpad(i::text, 26, '0'), case when i <= $2 then $1 else $3 end,
       (array['Spring', 'Été', 'Autumn', 'Winter'])[1 + i % 4] || ' sale ' || i, 'draft', 'bench',
       timestamptz '2026-01-01' + i * interval '1 minute'
     from generate_series(1, $2 + $2 / 10) i`,
    [accountId, campaigns, otherId],
  );
  await owner.query(
    `insert into messages (id, account_id, campaign_id, position, text)
     select 'msg_' || substr(id, 5), account_id, id, 1, 'Hi {{firstName|there}}, our sale begins today.'
     from campaigns`,
  );
  await owner.query(
    'insert into gates (scope_id) select id from campaigns union all select id from messages',
  );
  await owner.query(
    'insert into campaign_lists (account_id, campaign_id, list_id) select account_id, id, $2 from campaigns where account_id = $1',
    [accountId, list?.id],
  );
  await owner.query('vacuum analyze');
  await owner.query('checkpoint');
  await owner.end();
  return { accountId, key };
}
