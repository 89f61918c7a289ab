import { openDatabase, openPool, withAccount } from '../db/database.ts';
import { withOwner } from '../dev/with-owner.ts';
import { type DispatchCampaign, launchCampaign, seedDispatchAccount } from './dispatch-data.ts';

const CAMPAIGNS_OF_ACCOUNT = 100;
const ZONE = 'UTC';

/** Campaigns of one recipient each, all due at the same instant. */
export interface Sleepers {
  readonly count: number;
  readonly dueAt: number;
  /** What each of their texts begins with. */
  readonly name: string;
}

/** Launches them, of a hundredth as many accounts. */
export async function seedSleepers(
  databaseUrl: string,
  { count, dueAt, name }: Sleepers,
): Promise<DispatchCampaign[]> {
  const db = openDatabase(
    openPool({ connectionString: databaseUrl, connectionsMax: 2, role: 'carillon_app' }),
  );
  const schedule = { local: new Date(dueAt).toISOString().slice(0, 19), zone: ZONE };
  const made: DispatchCampaign[] = [];
  try {
    while (made.length < count) {
      const account = await seedDispatchAccount(db, databaseUrl, 1);
      const until = Math.min(count, made.length + CAMPAIGNS_OF_ACCOUNT);
      await withAccount(db, account.accountId, async (trx) => {
        while (made.length < until) {
          const message = { text: `${name} ${made.length + 1}`, schedule };
          made.push(await launchCampaign(trx, account, message, Date.now()));
        }
      });
    }
  } finally {
    await db.destroy();
  }
  return made;
}

/** How many of them are prepared and wait for the instant. */
export async function countAsleep(databaseUrl: string, { dueAt }: Sleepers): Promise<number> {
  return countRows(
    databaseUrl,
    `select count(*)::int as count from campaigns
     where status = 'scheduled' and first_due_at = to_timestamp($1)`,
    [dueAt / 1_000],
  );
}

/** How many of them have one accepted attempt and no other. */
export async function countSentOnce(databaseUrl: string, { name }: Sleepers): Promise<number> {
  return countRows(
    databaseUrl,
    `select count(*)::int as count from messages m where m.text like $1 || ' %' and 1 = (
       select count(*) from attempts a where a.message_key = m.key and a.attempt = 1 and a.result = 'accepted'
     ) and not exists (select from attempts a where a.message_key = m.key and a.attempt > 1)`,
    [name],
  );
}

async function countRows(databaseUrl: string, query: string, values: readonly unknown[]): Promise<number> {
  const { rows } = await withOwner(databaseUrl, (owner) =>
    owner.query<{ count: number }>(query, [...values]),
  );
  return rows[0]?.count ?? 0;
}
