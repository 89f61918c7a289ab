import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { deleteList } from '../../db/lists.ts';
import { at, DAY_MS, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign } from './workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;

/** A campaign that sleeps until tomorrow. */
async function sleeping(): Promise<CampaignUnderTest> {
  const due = (await strike(10)) + DAY_MS;
  const campaign = await launchCampaign(
    world(),
    { contacts: 2 },
    { start: 'scheduled', messages: [{ text: 'Tomorrow {{firstName}}', schedule: at(due) }] },
  );
  await world().pass(MINUTE_MS);
  expect(await campaign.status()).toBe('scheduled');
  return campaign;
}

/** Changes the sender as its route does, and tells the campaign to look. */
async function changeSender(
  campaign: CampaignUnderTest,
  changes: {
    readonly disabled_at?: Date | null;
    readonly registration?: string;
    readonly registration_expires_on?: string | null;
  },
): Promise<void> {
  const { senderId, accountId } = campaign.account;
  await campaign.inside((trx) =>
    trx.updateTable('senders').set(changes).where('id', '=', senderId).execute(),
  );
  await world().workflows.wakeCampaign(accountId, campaign.campaignId);
  await world().pass(MINUTE_MS);
}

describe('a campaign that waits for its time', () => {
  it.each([
    ['sender_disabled', { disabled_at: new Date() }, { disabled_at: null }],
    ['registration_lapsed', { registration: 'lapsed' }, { registration: 'approved' }],
    // Long over by the campaign's own time, whatever the machine's clock says.
    ['registration_lapsed', { registration_expires_on: '2000-01-01' }, { registration_expires_on: null }],
  ] as const)(
    'is suspended at once with %s, and goes on when that is mended',
    async (cause, broken, mended) => {
      const campaign = await sleeping();
      await changeSender(campaign, broken);
      expect(await campaign.campaign()).toMatchObject({
        status: 'suspended',
        statusReasons: [{ code: cause }],
      });
      expect((await campaign.order('resume')).state).toBe('refused');
      await changeSender(campaign, mended);
      expect(await campaign.status()).toBe('suspended');
      expect((await campaign.order('resume')).state).toBe('applied');
      expect(await campaign.status()).toBe('scheduled');
      await world().pass(DAY_MS + HOUR_MS);
      expect(world().texts).toHaveLength(2);
    },
  );

  it('is suspended at once when one of its lists is deleted', async () => {
    const campaign = await sleeping();
    await campaign.inside((trx) => deleteList(trx, campaign.account.listId));
    await world().workflows.wakeCampaign(campaign.account.accountId, campaign.campaignId);
    await world().pass(MINUTE_MS);
    expect(await campaign.campaign()).toMatchObject({
      status: 'suspended',
      statusReasons: [{ code: 'list_gone' }],
    });
    await world().pass(2 * DAY_MS);
    expect(world().texts).toEqual([]);
  });
});

describe('a frozen audience of which nobody was leased', () => {
  it('is frozen anew when the first message is rescheduled, with whoever has joined since', async () => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      { start: 'scheduled', messages: [{ text: 'Soon', schedule: at(now + 10 * MINUTE_MS) }] },
    );
    await world().pass(MINUTE_MS);
    expect(await campaign.campaign()).toMatchObject({ audienceSize: 2 });
    const { accountId, listId } = campaign.account;
    await campaign.inside((trx) =>
      sql`with joined as (
            insert into contacts (account_id, number, number_hash, country)
            values (${accountId}, '+12125550199', sha256('joined later'), 'US') returning id
          ) insert into list_members (account_id, list_id, contact_id)
            select ${accountId}, ${listId}, id from joined`.execute(trx),
    );
    const [messageId] = campaign.messageIds;
    const moved = { messages: [{ messageId, ...at(now + 12 * MINUTE_MS) }] };
    expect((await campaign.order('reschedule', moved)).state).toBe('applied');
    await world().pass(HOUR_MS);
    expect(world().texts).toHaveLength(3);
  });
});

describe("an operator's word against the content check", () => {
  it('is for the content of then, not for what is launched later', async () => {
    const due = (await strike(10)) + DAY_MS;
    await world()
      .db.insertInto('refused_phrases')
      .values({ id: 'phr_word', phrase: 'word of then', reason: 'Test.', effective_from: '2020-01-01' })
      .execute();
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      { start: 'scheduled', messages: [{ text: 'A word of then', schedule: at(due) }] },
    );
    await world().pass(MINUTE_MS);
    expect(await campaign.status()).toBe('rejected');
    expect((await campaign.order('overrule')).state).toBe('applied');
    await world().pass(MINUTE_MS);
    expect(await campaign.status()).toBe('scheduled');
    expect((await campaign.order('withdraw')).state).toBe('applied');
    await campaign.order('launch', { start: 'scheduled' });
    await world().pass(MINUTE_MS);
    expect(await campaign.status()).toBe('rejected');
  });
});

describe('a message that was cut', () => {
  it("stays cut when a restart's content is refused, and goes on with the rest after the next", async () => {
    await strike(10);
    const orders: Promise<unknown>[] = [];
    let posts = 0;
    world().answer = () => {
      posts += 1;
      if (posts === 20) orders.push(campaign.order('stop'));
      return { kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] };
    };
    const campaign = await launchCampaign(
      world(),
      { contacts: 200, segmentsPerSecond: 100 },
      { start: 'now', messages: [{ text: 'Cut in two {{firstName}}' }] },
    );
    await world().pass(MINUTE_MS);
    await Promise.all(orders);
    expect((await campaign.messages()).map((message) => message.status)).toEqual(['cut']);
    const refuse = { id: 'phr_cut', phrase: 'cut in two', reason: 'Test.', effective_from: '2020-01-01' };
    await world().db.insertInto('refused_phrases').values(refuse).execute();
    const [messageId = ''] = campaign.messageIds;
    const restart = async () => new Map([[messageId, at((await world().now()) + HOUR_MS)]]);
    await campaign.order('restart', {}, await restart());
    await world().pass(MINUTE_MS);
    expect(await campaign.status()).toBe('stopped');
    expect(await campaign.messages()).toMatchObject([{ status: 'cut', scheduleLocal: null, dueAt: null }]);
    await world().db.deleteFrom('refused_phrases').where('id', '=', 'phr_cut').execute();
    await campaign.order('restart', {}, await restart());
    await world().pass(2 * HOUR_MS);
    expect(world().texts).toHaveLength(200);
    expect(new Set(world().texts.map((text) => text.to)).size).toBe(200);
  });
});
