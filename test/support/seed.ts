import { createHmac } from 'node:crypto';
import { sql } from 'kysely';
import { insertCampaign, lockCampaign } from '../../db/campaigns.ts';
import { orderAction } from '../../db/campaign-orders.ts';
import { type Db, withAccount } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { insertMessage } from '../../db/messages.ts';
import type { Actor } from '../../domain/actor.ts';
import type { StartMode } from '../../domain/campaign-status.ts';

/** What a seeded account looks like; everything has a default. */
export interface SeedOptions {
  readonly timeZone?: string;
  readonly contacts?: number;
  readonly segmentsPerSecond?: number | null;
  readonly spendLimitMicroUsd?: number | null;
}

/** A tenant with one sender, one list and its contacts. */
export interface SeededAccount {
  readonly accountId: string;
  readonly personId: string;
  readonly senderId: string;
  readonly carrierAccountId: string;
  readonly listId: string;
  readonly actor: Actor;
}

/** The number of the contact at this index, from 0. */
export function numberOf(index: number): string {
  return `+1415${String(5_550_000 + index)}`;
}

/** Writes an account straight into the database, for tests that start below the API. */
export async function seedAccount(db: Db, options: SeedOptions = {}): Promise<SeededAccount> {
  const accountId = newId('acc');
  const ids = {
    accountId,
    personId: newId('per'),
    senderId: newId('snd'),
    carrierAccountId: newId('car'),
    listId: newId('lst'),
  };
  await withAccount(db, accountId, async (trx) => {
    await trx
      .insertInto('accounts')
      .values({
        id: accountId,
        name: 'Harbour Bakery',
        time_zone: options.timeZone ?? 'America/New_York',
        sender_name: 'Harbour',
        default_country: 'US',
        countries: ['US'],
        spend_limit_micro_usd: options.spendLimitMicroUsd ?? null,
      })
      .execute();
    await trx
      .insertInto('people')
      .values({ id: ids.personId, account_id: accountId, name: 'Owner', address: 'owner@example.com' })
      .execute();
    await trx
      .insertInto('carrier_accounts')
      .values({ id: ids.carrierAccountId, name: 'Test', carrier: 'plivo', requests_max: 0 })
      .execute();
    await trx
      .insertInto('senders')
      .values({
        id: ids.senderId,
        account_id: accountId,
        address: '12345',
        type: 'short_code',
        supports_mms: true,
        registration: 'approved',
        segments_per_second: options.segmentsPerSecond ?? null,
        carrier_account_id: ids.carrierAccountId,
      })
      .execute();
    await trx
      .insertInto('sender_paces')
      .values(['sms', 'mms'].map((kind) => ({ sender_id: ids.senderId, kind, account_id: accountId })))
      .execute();
    await trx
      .insertInto('gates')
      .values([{ scope_id: accountId }, { scope_id: ids.senderId }])
      .execute();
    await trx
      .insertInto('lists')
      .values({ id: ids.listId, account_id: accountId, name: 'Regulars' })
      .execute();
  });
  await seedContacts(db, ids, options.contacts ?? 0);
  return { ...ids, actor: { id: ids.personId, via: 'api' } };
}

async function seedContacts(
  db: Db,
  ids: { readonly accountId: string; readonly listId: string },
  count: number,
): Promise<void> {
  const batch = 1_000;
  for (let from = 0; from < count; from += batch) {
    const rows = Array.from({ length: Math.min(batch, count - from) }, (_, index) => ({
      account_id: ids.accountId,
      number: numberOf(from + index),
      number_hash: createHmac('sha256', 'test')
        .update(numberOf(from + index))
        .digest()
        .subarray(0, 16),
      country: 'US',
      first_name: `Name${from + index}`,
    }));
    await withAccount(db, ids.accountId, (trx) => trx.insertInto('contacts').values(rows).execute());
  }
  await withAccount(db, ids.accountId, (trx) =>
    sql`insert into list_members (account_id, list_id, contact_id)
        select ${ids.accountId}, ${ids.listId}, id from contacts`.execute(trx),
  );
}

/** A launched campaign of the account; one message for each text given. */
export async function seedCampaign(
  db: Db,
  account: SeededAccount,
  options: {
    readonly at: number;
    readonly start: StartMode;
    readonly messages: readonly {
      readonly text: string;
      readonly schedule?: { readonly local: string; readonly zone: string };
      readonly expiresAfterMs?: number;
    }[];
  },
): Promise<{ campaignId: string; messageIds: string[] }> {
  return withAccount(db, account.accountId, async (trx) => {
    const campaignId = await insertCampaign(trx, {
      accountId: account.accountId,
      createdBy: account.personId,
      name: `Campaign ${newId('cmp')}`,
      senderId: account.senderId,
      ownerId: account.personId,
      purpose: 'marketing',
      acknowledgedBy: account.personId,
      listIds: [account.listId],
    });
    const messageIds: string[] = [];
    for (const message of options.messages) {
      messageIds.push(await insertMessage(trx, account.accountId, campaignId, message));
    }
    const campaign = await lockCampaign(trx, campaignId);
    if (campaign === null) throw new Error('The campaign was not made.');
    const ordered = await orderAction(trx, {
      campaign,
      name: 'launch',
      args: { start: options.start },
      actor: account.actor,
      at: options.at,
    });
    if (ordered.kind === 'refused') throw new Error(ordered.reason);
    return { campaignId, messageIds };
  });
}
