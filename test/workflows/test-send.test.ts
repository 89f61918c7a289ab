import { describe, expect, it } from 'vitest';
import { erasePerson } from '../../db/erase-person.ts';
import { moveGate } from '../../db/gates.ts';
import { insertQuota, setSenderQuotas } from '../../db/quotas.ts';
import { suppress } from '../../db/suppressions.ts';
import { testSendsToRun } from '../../db/test-sends/test-sends.ts';
import { HASH, NUMBER, orderTest } from './test-send-world.ts';
import { useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();

describe('a test', () => {
  it('is posted once, spends from the account, forgets its text and follows what the carrier reports', async () => {
    await strike(10);
    const test = await orderTest(world());
    expect(await test.send()).toMatchObject({ state: 'accepted', cause: null });
    expect(world().texts).toMatchObject([{ to: NUMBER, text: '[Test] Hello' }]);
    expect(await test.spent()).toBe(1_000);
    await world().workflows.startTestSend(test.accountId, test.testId);
    await world().pass(60_000);
    expect(world().texts).toHaveLength(1);
    const { rows } = await test.inside(async (trx) => ({
      rows: await trx.selectFrom('test_sends').select(['text', 'carrier_uuid']).execute(),
    }));
    expect(rows).toEqual([{ text: null, carrier_uuid: 'uuid' }]);

    expect(await test.report('delivered', 'another')).toBe('mismatch');
    expect(await test.report('delivered', 'uuid', '+12125552802')).toBe('mismatch');
    expect(await test.report('sent', 'uuid')).toBe('applied');
    expect(await test.report('delivered', 'uuid')).toBe('applied');
    expect(await test.report('failed', 'uuid')).toBe('repeated');
    expect(await test.read()).toMatchObject({ state: 'delivered', errorCode: null });
  });

  it('that a worker died on is unknown and never sent again by itself, until a report proves it', async () => {
    await strike(10);
    const test = await orderTest(world());
    let posts = 0;
    world().answer = () => {
      posts += 1;
      throw new Error('The process is gone.');
    };
    expect(await test.send()).toMatchObject({ state: 'unknown', cause: 'worker_lost' });
    expect(posts).toBe(1);
    expect(await testSendsToRun(world().db, 100)).toEqual([]);
    expect(await test.spent()).toBe(1_000);
    expect(await test.report('sent', 'late')).toBe('applied');
    expect(await test.read()).toMatchObject({ state: 'sent', cause: null });
  });

  it('that the engine has not heard of is found by repair', async () => {
    const { accountId, testId } = await orderTest(world());
    expect(await testSendsToRun(world().db, 100)).toContainEqual({ id: testId, accountId });
    await world().workflows.startTestSend(accountId, testId);
  });

  it('that the carrier certainly did not take is not tried again and costs nothing', async () => {
    await strike(10);
    const test = await orderTest(world());
    world().answer = () => ({ kind: 'not_accepted', cause: 'rate_limited', retryAfterMs: null });
    expect(await test.send()).toMatchObject({ state: 'refused', cause: 'rate_limited' });
    expect(await test.spent()).toBe(0);
    const other = await orderTest(world());
    world().answer = () => ({ kind: 'rejected', httpStatus: 400 });
    expect(await other.send()).toMatchObject({ state: 'rejected', cause: 'http_400' });
    expect(await other.spent()).toBe(0);
  });

  it('counts for the daily cap of its sender only where the carrier has taken it', async () => {
    await strike(10);
    const capped = async () => {
      const test = await orderTest(world());
      const { accountId, senderId } = test;
      await test.inside(async (trx) => {
        const id = await insertQuota(trx, accountId, { name: 'Brand', dayUnits: 1 });
        await setSenderQuotas(trx, { id: senderId, accountId }, [id]);
      });
      const used = () =>
        test.inside((trx) => trx.selectFrom('quota_uses').select('day_hundredths as used').execute());
      return { ...test, used };
    };
    const taken = await capped();
    await taken.send();
    expect(await taken.used()).toEqual([{ used: 100 }]);
    const refused = await capped();
    world().answer = () => ({ kind: 'not_accepted', cause: 'rate_limited', retryAfterMs: null });
    await refused.send();
    expect(await refused.used()).toEqual([{ used: 0 }]);
  });

  type Ordered = Awaited<ReturnType<typeof orderTest>>;
  const forbidden: Readonly<Record<string, (test: Ordered) => Promise<unknown>>> = {
    held: ({ inside, messageId }) => inside((trx) => moveGate(trx, messageId, 1)),
    opt_out: ({ inside, accountId }) =>
      inside((trx) =>
        suppress(trx, {
          accountId,
          numberHash: HASH,
          number: NUMBER,
          kind: 'opt_out',
          senderId: null,
          source: 'inbound',
          actor: { id: 'system', via: 'system' },
        }),
      ),
    sender_disabled: ({ inside, senderId }) =>
      inside((trx) =>
        trx.updateTable('senders').set({ disabled_at: new Date() }).where('id', '=', senderId).execute(),
      ),
    registration_lapsed: ({ inside, senderId }) =>
      inside((trx) =>
        trx
          .updateTable('senders')
          .set({ registration_expires_on: '2000-01-01' })
          .where('id', '=', senderId)
          .execute(),
      ),
    spend_limit: ({ inside, accountId }) =>
      inside((trx) =>
        trx.updateTable('accounts').set({ spend_limit_micro_usd: 999 }).where('id', '=', accountId).execute(),
      ),
    campaign_deleted: ({ inside, campaignId }) =>
      inside((trx) =>
        trx.updateTable('campaigns').set({ deleted_at: new Date() }).where('id', '=', campaignId).execute(),
      ),
    contact_deleted: ({ inside, testId }) =>
      inside((trx) =>
        trx.updateTable('test_sends').set({ contact_id: 4_711 }).where('id', '=', testId).execute(),
      ),
    number_not_registered: ({ inside }) => inside((trx) => trx.deleteFrom('test_numbers').execute()),
    too_late: ({ inside, testId }) =>
      inside((trx) =>
        trx
          .updateTable('test_sends')
          .set({ requested_at: new Date(Date.now() - 11 * 60_000) })
          .where('id', '=', testId)
          .execute(),
      ),
  };

  it.each(Object.keys(forbidden))(
    'is refused when it is to go out and this has come up: %s',
    async (cause) => {
      await strike(10);
      const test = await orderTest(world());
      await forbidden[cause]?.(test);
      expect(await test.send()).toMatchObject({ state: 'refused', cause });
      expect(world().texts).toEqual([]);
      expect(await test.spent()).toBe(0);
    },
  );

  it('to a number whose owner is erased forgets number and text, and is not sent', async () => {
    await strike(10);
    const test = await orderTest(world());
    const { accountId, inside } = test;
    await inside((trx) => erasePerson(trx, { accountId, number: NUMBER, numberHash: HASH }));
    expect(await test.send()).toMatchObject({ state: 'refused', cause: 'erased', number: null });
    expect(world().texts).toEqual([]);
    expect(await inside((trx) => trx.selectFrom('test_numbers').select('id').execute())).toEqual([]);
  });

  it('in quiet hours goes out only where that was confirmed', async () => {
    await strike(21);
    const silent = await orderTest(world());
    expect(await silent.send()).toMatchObject({ state: 'refused', cause: 'quiet_hours' });
    const confirmed = await orderTest(world(), { inQuietHours: true });
    expect(await confirmed.send()).toMatchObject({ state: 'accepted', inQuietHours: true });
    expect(world().texts).toHaveLength(1);
  });
});
