import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { carriersToAsk } from '../../db/reconcile/unknowns.ts';
import { NUMBER, orderTest } from './test-send-world.ts';
import { DAY_MS, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;

let asks = 0;
const lists = (...uuids: readonly string[]): void => {
  world().list = ({ to, since }) => {
    asks += 1;
    expect(to).toBe(NUMBER);
    return { kind: 'listed', texts: uuids.map((uuid) => ({ uuid, at: since })), isLast: true };
  };
};
beforeEach(async () => {
  await strike(10);
  asks = 0;
  lists();
});

/**
 * A test whose answer was lost. The machine's clock, by which posts are dated, does not skip; so it is dated as if it
 * stood where the workflows' does.
 */
async function unknownTest() {
  const test = await orderTest(world());
  world().answer = () => ({ kind: 'unknown', cause: 'reset' });
  expect(await test.send()).toMatchObject({ state: 'unknown', cause: 'reset' });
  const now = new Date(await world().now());
  await test.inside((trx) =>
    sql`update test_sends set requested_at = ${now}, answered_at = ${now}, next_ask_at = ${now}`.execute(trx),
  );
  await world().db.updateTable('carrier_accounts').set({ lists_per_minute: 6_000 }).execute();
  const kept = () =>
    test.inside((trx) =>
      trx
        .selectFrom('test_sends')
        .select(['state', 'cause', 'asks', 'carrier_uuid as uuid', 'next_ask_at as nextAskAt'])
        .executeTakeFirstOrThrow(),
    );
  return { ...test, kept };
}

describe('a test of which nobody knows whether it went out', () => {
  it("is accepted once the carrier's list shows it, and follows its reports from there", async () => {
    const test = await unknownTest();
    const { carrierAccountId } = test;
    expect(await carriersToAsk(world().db, await world().now())).toContain(carrierAccountId);
    lists('uuid-listed');
    await world().workflows.wakeReconcile(carrierAccountId);
    await world().pass(MINUTE_MS);
    expect(await test.kept()).toMatchObject({ state: 'accepted', cause: null, uuid: 'uuid-listed' });
    expect(asks).toBe(1);
    expect(await carriersToAsk(world().db, await world().now())).not.toContain(carrierAccountId);
    expect(await test.report('delivered', 'another')).toBe('mismatch');
    expect(await test.report('delivered', 'uuid-listed')).toBe('applied');
    const history = await world().reconcileHistory(carrierAccountId);
    expect(history.events?.at(-1)).toHaveProperty('workflowExecutionCompletedEventAttributes');
    expect(JSON.stringify(history)).not.toContain(NUMBER.slice(1));
  });

  it('is shown as not in the list only long enough afterwards, stays unknown, and is asked for no more after a day', async () => {
    const test = await unknownTest();
    await world().workflows.wakeReconcile(test.carrierAccountId);
    await world().pass(10 * MINUTE_MS);
    expect(await test.kept()).toMatchObject({ state: 'unknown', cause: 'reset' });
    await world().pass(10 * MINUTE_MS);
    expect(await test.kept()).toMatchObject({ state: 'unknown', cause: 'not_in_list' });
    await world().pass(10 * HOUR_MS);
    expect(asks).toBe(5);
    await world().pass(DAY_MS);
    expect(await test.kept()).toMatchObject({ state: 'unknown', cause: 'not_in_list', nextAskAt: null });
    expect(asks).toBe(5);
    const history = await world().reconcileHistory(test.carrierAccountId);
    expect(history.events?.at(-1)).toHaveProperty('workflowExecutionCompletedEventAttributes');
  });

  it('is not taken for accepted by a record that may be of somebody else’s text', async () => {
    const test = await unknownTest();
    // Another text on trial to the same number, from the same sender: which of the two is listed nobody can say.
    await test.inside((trx) =>
      sql`insert into test_sends (id, account_id, campaign_id, message_id, sender_id, number, number_hash, country, kind,
            media_ids, segments, cost_micro_usd, in_quiet_hours, requested_by, requested_at, state, answered_at)
          select 'tst_other', account_id, campaign_id, message_id, sender_id, number, number_hash, country, kind,
            media_ids, segments, cost_micro_usd, in_quiet_hours, requested_by, requested_at, 'unknown', answered_at
          from test_sends`.execute(trx),
    );
    const states = () =>
      test.inside((trx) => trx.selectFrom('test_sends').select(['state', 'carrier_uuid as uuid']).execute());
    lists('uuid-of-one');
    await world().workflows.wakeReconcile(test.carrierAccountId);
    await world().pass(MINUTE_MS);
    expect(await states()).toEqual([
      { state: 'unknown', uuid: null },
      { state: 'unknown', uuid: null },
    ]);
    // As many records as texts: each is one of them, and nobody knows which.
    lists('uuid-of-one', 'uuid-of-other');
    await world().pass(10 * MINUTE_MS);
    expect(await states()).toEqual([
      { state: 'accepted', uuid: null },
      { state: 'accepted', uuid: null },
    ]);
  });

  it('that a report has proved meanwhile stays so', async () => {
    const test = await unknownTest();
    expect(await test.report('sent', 'uuid-reported')).toBe('applied');
    await world().workflows.wakeReconcile(test.carrierAccountId);
    await world().pass(HOUR_MS);
    expect(asks).toBe(0);
    expect(await test.kept()).toMatchObject({ state: 'accepted', uuid: 'uuid-reported', nextAskAt: null });
  });
});
