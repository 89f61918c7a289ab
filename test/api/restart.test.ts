import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { suspendCampaign } from '../../db/suspend-campaign.ts';
import { type ApiWorld, openApiWorld, type Reply } from './api-world.ts';
import { createDraft } from './seeded-things.ts';

let world: ApiWorld;
let campaign: string;
let message: string;
let names = 0;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.owner.query('delete from sender_reports');
  names += 1;
  ({ campaign, message } = await createDraft(world.mine, `Campaign ${names}`));
  await act('launch', { start: 'scheduled' });
});

const act = (action: string, body: unknown = {}): Promise<Reply> =>
  world.mine.call('POST', `/v1/campaigns/${campaign}/${action}`, { body });
const statusOf = async (): Promise<unknown> =>
  (await world.mine.call('GET', `/v1/campaigns/${campaign}`)).body['status'];
const schedules = () => ({
  messages: [{ messageId: message, schedule: { local: '2027-01-14T12:00', zone: 'America/New_York' } }],
});
const limitSpend = (amountMicro: number | null): Promise<Reply> =>
  world.mine.call('PATCH', '/v1/account', {
    body: { spendLimit: amountMicro === null ? null : { amountMicro, currency: 'USD' } },
  });
/** The engine would have cut the message; here nobody does it. */
const stop = async (): Promise<void> => {
  await act('stop');
  await world.owner.query(`update messages set status = 'cut', began_at = now() where id = $1`, [message]);
};
const reportSpam = (): Promise<unknown> =>
  world.owner.query(
    `insert into sender_reports (account_id, sender_id, minute, finals, spam)
     values ($1, $2, date_trunc('minute', clock_timestamp()), 20, 20)`,
    [world.mine.accountId, world.mine.senderId],
  );

describe('a restart of a campaign that was suspended before its stop', () => {
  test('is refused with the cause for as long as it persists, as a resume is, and changes nothing', async () => {
    await limitSpend(1);
    await withAccount(world.db, world.mine.accountId, (trx) =>
      suspendCampaign(trx, { accountId: world.mine.accountId, campaignId: campaign }, 'spend_limit'),
    );
    expect(await act('resume')).toMatchObject({ status: 409, body: { code: 'cause-persists' } });
    await stop();
    expect(await act('restart', schedules())).toMatchObject({
      status: 409,
      body: {
        code: 'cause-persists',
        cause: 'spend_limit',
        detail: expect.stringContaining('Raise it') as string,
      },
    });
    expect(await statusOf()).toBe('stopped');
    const review = await act('review', schedules());
    expect(review.body['refusals']).toMatchObject([{ code: 'spend_limit' }]);
    await limitSpend(null);
    expect((await act('review', schedules())).body['refusals']).toEqual([]);
    expect(await act('restart', schedules())).toMatchObject({ status: 202 });
  });
});

describe('a campaign that was not being sent when its sender was reported as spam too often', () => {
  test.each([
    ['resumed', 'resume', () => act('pause'), {}],
    ['restarted', 'restart', stop, null],
  ] as const)('is not %s while the reports count', async (_how, action, rest, body) => {
    await rest();
    await reportSpam();
    expect(await act(action, body ?? schedules())).toMatchObject({
      status: 409,
      body: { code: 'cause-persists', cause: 'spam', detail: expect.stringContaining('hour') as string },
    });
    await world.owner.query(`update sender_reports set minute = minute - interval '61 minutes'`);
    expect(await act(action, body ?? schedules())).toMatchObject({ status: 202 });
  });
});
