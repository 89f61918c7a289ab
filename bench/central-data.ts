import { insertCampaign } from '../db/campaigns.ts';
import { type Db, openDatabase, openPool, withAccount } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { insertMessage } from '../db/messages.ts';
import { withOwner } from '../dev/with-owner.ts';
import { insertBenchKey } from './bench-account.ts';
import type { DispatchAccount } from './dispatch-data.ts';
import { seedAccounts } from './seed-accounts.ts';

/** Contacts of each sub-account. */
export const CONTACTS = 200;
/** Before anything is measured a worker has sent so many, since code that has just begun to run is slow. */
const WARM_UP = 2_000;

/** Who sends: a parent with its sub-accounts, and who sends as much without them. All use one carrier account. */
export interface CentralAccounts {
  readonly parent: DispatchAccount;
  /** A key of the parent's. */
  readonly key: string;
  /** The lists of all sub-accounts. */
  readonly presetId: string;
  readonly subAccounts: readonly DispatchAccount[];
  /** One account with as many contacts as all of them have. */
  readonly whole: DispatchAccount;
  readonly warmUp: DispatchAccount;
}

/** Makes the accounts, by a few statements, and leaves the database as if it had been there for long. */
export async function seedCentralAccounts(databaseUrl: string, count: number): Promise<CentralAccounts> {
  const seeded = await withOwner(databaseUrl, async (owner) => {
    const carrierAccountId = newId('car');
    await owner.query(
      `insert into carrier_accounts (id, name, carrier, requests_max, requests_at_once_max)
       values ($1, 'Sink', 'plivo', 0, 0)`,
      [carrierAccountId],
    );
    const [parent, whole, warmUp] = await seedAccounts(owner, carrierAccountId, [
      { contacts: 0 },
      { contacts: count * CONTACTS },
      { contacts: WARM_UP },
    ]);
    if (parent === undefined || whole === undefined || warmUp === undefined) {
      throw new Error('The accounts were not made.');
    }
    const subAccounts = await seedAccounts(
      owner,
      carrierAccountId,
      Array.from({ length: count }, () => ({ contacts: CONTACTS, parentId: parent.accountId })),
    );
    const presetId = newId('pre');
    await owner.query('update accounts set central_send_at = clock_timestamp() where id = $1', [
      parent.accountId,
    ]);
    await owner.query(`insert into presets (id, account_id, name) values ($1, $2, 'All of them')`, [
      presetId,
      parent.accountId,
    ]);
    await owner.query(
      `insert into preset_pairs (account_id, preset_id, sub_account_id, list_id)
       select $1, $2, l.account_id, l.id from lists l join accounts a on a.id = l.account_id where a.parent_id = $1`,
      [parent.accountId, presetId],
    );
    await owner.query('vacuum analyze');
    return { parent, whole, warmUp, subAccounts, presetId };
  });
  const db = openDatabase(
    openPool({ connectionString: databaseUrl, connectionsMax: 1, role: 'carillon_app' }),
  );
  try {
    const { accountId } = seeded.parent;
    return { ...seeded, key: await withAccount(db, accountId, (trx) => insertBenchKey(trx, accountId)) };
  } finally {
    await db.destroy();
  }
}

/** Makes the parent's draft to all of its sub-accounts. Resolves with its id. */
export async function draftCentral(
  db: Db,
  { parent, presetId }: CentralAccounts,
  text: string,
): Promise<string> {
  const { accountId, personId } = parent;
  return withAccount(db, accountId, async (trx) => {
    const campaignId = await insertCampaign(trx, {
      accountId,
      kind: 'central',
      createdBy: personId,
      name: `Central ${newId('cmp')}`,
      ownerId: personId,
      purpose: 'informational',
      acknowledgedBy: personId,
      presetId,
    });
    await insertMessage(trx, accountId, campaignId, { text });
    return campaignId;
  });
}
