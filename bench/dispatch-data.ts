import { sql } from 'kysely';
import { newAccountId } from '../db/accounts.ts';
import { freezeAudience } from '../db/audience.ts';
import { orderAction } from '../db/campaign-orders.ts';
import { stepCampaign } from '../db/campaign-step/step-campaign.ts';
import { insertCampaign, lockCampaign } from '../db/campaigns.ts';
import { type Db, type Trx, withAccount } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { insertMessage } from '../db/messages.ts';
import { insertPerson } from '../db/people.ts';
import { prepareCampaign } from '../db/prepare-campaign.ts';
import { withOwner } from '../dev/with-owner.ts';
import type { Actor } from '../domain/actor.ts';
import type { Schedule } from '../domain/schedule.ts';
import { insertBenchAccount } from './bench-account.ts';

/** An account with one unpaced sender at a carrier without limits, and a list of contacts. */
export interface DispatchAccount {
  readonly accountId: string;
  readonly personId: string;
  readonly senderId: string;
  readonly listId: string;
  /** How many the list holds. */
  readonly contacts: number;
}

/** A frozen campaign of one message that nobody has been texted of. */
export interface DispatchCampaign {
  readonly accountId: string;
  readonly campaignId: string;
  readonly messageId: string;
}

/** Makes the account. */
export async function seedDispatchAccount(
  db: Db,
  databaseUrl: string,
  contacts: number,
): Promise<DispatchAccount> {
  const accountId = newAccountId();
  const ids = { accountId, senderId: newId('snd'), listId: newId('lst') };
  const carrierAccountId = newId('car');
  const personId = await withAccount(db, accountId, async (trx) => {
    await insertBenchAccount(trx, accountId);
    await trx
      .insertInto('carrier_accounts')
      .values({
        id: carrierAccountId,
        name: 'Sink',
        carrier: 'plivo',
        requests_max: 0,
        requests_at_once_max: 0,
      })
      .execute();
    await trx
      .insertInto('senders')
      .values({
        id: ids.senderId,
        account_id: accountId,
        address: '24365',
        type: 'short_code',
        supports_mms: false,
        registration: 'approved',
        carrier_account_id: carrierAccountId,
      })
      .execute();
    await trx
      .insertInto('sender_paces')
      .values(['sms', 'mms'].map((kind) => ({ sender_id: ids.senderId, kind, account_id: accountId })))
      .execute();
    await trx.insertInto('gates').values({ scope_id: ids.senderId }).execute();
    await trx
      .insertInto('lists')
      .values({ id: ids.listId, account_id: accountId, name: 'Everybody' })
      .execute();
    return insertPerson(trx, { accountId, name: 'Owner', address: 'owner@example.com' });
  });
  await withOwner(databaseUrl, async (owner) => {
    await owner.query(
      `with made as (
       insert into contacts (account_id, number, number_hash, country, first_name)
       select $1, '+1' || (2000000000 + i), decode(lpad(to_hex(i), 32, '0'), 'hex'), 'US', 'Name' || i
       from generate_series(1, $3::int) i returning id
     )
     insert into list_members (account_id, list_id, contact_id) select $1, $2, id from made`,
      [accountId, ids.listId, contacts],
    );
    await owner.query('vacuum analyze contacts, list_members');
  });
  return { ...ids, personId, contacts };
}

/** Launches a campaign to the whole list and freezes its audience, as its workflow does. */
export async function seedDispatchCampaign(
  db: Db,
  account: DispatchAccount,
  text: string,
): Promise<DispatchCampaign> {
  const { accountId } = account;
  const at = Date.now();
  return withAccount(db, accountId, async (trx) => {
    const launched = await launchCampaign(trx, account, { text }, at);
    const { campaignId } = launched;
    for (;;) {
      const input = { accountId, campaignId, at, running: [], poked: false, signals: [], asked: [] };
      const step = await stepCampaign(trx, input);
      if (step.kind === 'prepare') await prepareCampaign(trx, { accountId, campaignId, at });
      else if (step.kind === 'freeze') await freezeAudience(trx, campaignId, at);
      else if (step.kind === 'run' && step.start.length > 0) break;
      else throw new Error(`The campaign is ${step.status} and does not send.`);
    }
    return launched;
  });
}

/** Launches a campaign to the whole list, at once or at its message's schedule; its workflow does the rest. */
export async function launchCampaign(
  trx: Trx,
  account: DispatchAccount,
  message: DraftMessage,
  at: number,
): Promise<DispatchCampaign> {
  const drafted = await draftCampaign(trx, account, message);
  const start = message.schedule === undefined ? 'now' : 'scheduled';
  await orderLaunch(trx, drafted, account.personId, start, at);
  return drafted;
}

/** The only message of a campaign. */
interface DraftMessage {
  readonly text: string;
  readonly schedule?: Schedule;
}

/** Makes a draft to the whole list. */
export async function draftCampaign(
  trx: Trx,
  { accountId, personId, senderId, listId }: DispatchAccount,
  message: DraftMessage,
): Promise<DispatchCampaign> {
  const campaignId = await insertCampaign(trx, {
    accountId,
    createdBy: personId,
    name: `Campaign ${newId('cmp')}`,
    senderId,
    ownerId: personId,
    purpose: 'informational',
    acknowledgedBy: personId,
    listIds: [listId],
  });
  return { accountId, campaignId, messageId: await insertMessage(trx, accountId, campaignId, message) };
}

/** Orders the launch of a draft; its workflow does the rest. */
export async function orderLaunch(
  trx: Trx,
  { campaignId }: DispatchCampaign,
  personId: string,
  start: 'now' | 'scheduled',
  at: number,
): Promise<void> {
  const campaign = await lockCampaign(trx, campaignId);
  if (campaign === null) throw new Error('The campaign was not made.');
  const actor: Actor = { id: personId, via: 'api' };
  const ordered = await orderAction(trx, { campaign, name: 'launch', args: { start }, actor, at });
  if (ordered.kind === 'refused') throw new Error(ordered.reason);
}

/** How many of a campaign are recorded as accepted. */
export function countAccepted(db: Db, { accountId, messageId }: DispatchCampaign): Promise<number> {
  return withAccount(db, accountId, async (trx) => {
    const { accepted } = await trx
      .selectFrom('attempts as a')
      .innerJoin('messages as m', 'm.key', 'a.message_key')
      .where('m.id', '=', messageId)
      .where('a.result', '=', 'accepted')
      .select(sql<number>`count(*)::int`.as('accepted'))
      .executeTakeFirstOrThrow();
    return accepted;
  });
}
