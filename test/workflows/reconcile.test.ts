import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { carriersToAsk } from '../../db/reconcile/unknowns.ts';
import { DAY_MS, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign } from './workflow-world.ts';

const MINUTE_MS = 60_000;
const { world, strike } = useWorkflowWorld();

beforeEach(() => {
  world().list = () => ({ kind: 'listed', texts: [], isLast: true });
});

/**
 * A campaign whose every text is unknown. The machine's clock, by which posts are dated, does not skip; so they are
 * dated as if it stood where the workflows' does.
 */
async function allUnknown(contacts: number): Promise<CampaignUnderTest> {
  await strike(10);
  world().answer = () => ({ kind: 'unknown', cause: 'reset' });
  const campaign = await launchCampaign(
    world(),
    { contacts },
    { start: 'now', messages: [{ text: 'Hi {{firstName}}' }] },
  );
  await world().pass(MINUTE_MS);
  expect(await campaign.report()).toMatchObject({ unknown: contacts });
  const now = new Date(await world().now());
  await campaign.inside((trx) =>
    sql`update unknowns set posted_since = ${now}, posted_until = ${now}, next_ask_at = ${now}
        where account_id = ${campaign.account.accountId}`.execute(trx),
  );
  await campaign.inside((trx) =>
    sql`update leases set opened_at = ${now} where account_id = ${campaign.account.accountId}`.execute(trx),
  );
  await world().db.updateTable('carrier_accounts').set({ lists_per_minute: 6_000 }).execute();
  return campaign;
}

const statesOf = (campaign: CampaignUnderTest) =>
  campaign.inside(async (trx) => {
    const rows = await trx.selectFrom('unknowns').select(['state', 'asks']).orderBy('recipient').execute();
    return rows.map(({ state }) => state);
  });

describe('the run that resolves unknown attempts', () => {
  it('marks whom the list shows as accepted and ends when nobody is left', async () => {
    const campaign = await allUnknown(3);
    world().list = ({ to, since }) => ({
      kind: 'listed',
      texts: [{ uuid: `uuid-of-${to.slice(1)}`, at: since }],
      isLast: true,
    });
    await world().workflows.wakeReconcile(campaign.account.carrierAccountId);
    await world().pass(MINUTE_MS);
    expect(await statesOf(campaign)).toEqual(['accepted', 'accepted', 'accepted']);
    expect(await campaign.report()).toMatchObject({ accepted: 3, unknown: 0 });
    const history = await world().reconcileHistory(campaign.account.carrierAccountId);
    expect(history.events?.at(-1)).toHaveProperty('workflowExecutionCompletedEventAttributes');
  });

  it('asks again until whom the list lacks is absent, and calls him final after a day', async () => {
    const campaign = await allUnknown(2);
    let asks = 0;
    world().list = () => {
      asks += 1;
      return { kind: 'listed', texts: [], isLast: true };
    };
    await world().workflows.wakeReconcile(campaign.account.carrierAccountId);
    await world().pass(10 * MINUTE_MS);
    expect(await statesOf(campaign)).toEqual(['open', 'open']);
    await world().pass(10 * MINUTE_MS);
    expect(await statesOf(campaign)).toEqual(['absent', 'absent']);
    await world().pass(10 * HOUR_MS);
    expect(asks).toBe(10);
    expect(await statesOf(campaign)).toEqual(['absent', 'absent']);
    await world().pass(DAY_MS);
    expect(await statesOf(campaign)).toEqual(['final', 'final']);
    expect(asks, 'the horizon asks nobody').toBe(10);
    expect(await campaign.report()).toMatchObject({ accepted: 0, unknown: 2 });
    const history = await world().reconcileHistory(campaign.account.carrierAccountId);
    expect(history.events?.at(-1)).toHaveProperty('workflowExecutionCompletedEventAttributes');
    const text = JSON.stringify(history);
    expect(text).not.toContain('1415');
  });

  it('outlives a carrier that answers no list for hours', async () => {
    const campaign = await allUnknown(1);
    world().list = () => ({ kind: 'failed', cause: 'unavailable', retryAfterMs: null });
    await world().workflows.wakeReconcile(campaign.account.carrierAccountId);
    await world().pass(2 * HOUR_MS);
    expect(await statesOf(campaign)).toEqual(['open']);
    world().list = ({ since }) => ({
      kind: 'listed',
      texts: [{ uuid: 'uuid-found', at: since }],
      isLast: true,
    });
    await world().pass(10 * MINUTE_MS);
    expect(await statesOf(campaign)).toEqual(['accepted']);
  });

  it('is wanted again as soon as somebody is unknown, and not while nobody is', async () => {
    const campaign = await allUnknown(1);
    const { carrierAccountId } = campaign.account;
    expect(await carriersToAsk(world().db, await world().now())).toContain(carrierAccountId);
    world().list = ({ since }) => ({
      kind: 'listed',
      texts: [{ uuid: 'uuid-once', at: since }],
      isLast: true,
    });
    await world().workflows.wakeReconcile(carrierAccountId);
    await world().pass(MINUTE_MS);
    expect(await carriersToAsk(world().db, await world().now())).not.toContain(carrierAccountId);
  });
});
