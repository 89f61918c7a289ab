import { describe, expect, it } from 'vitest';
import { updateAccount } from '../../db/accounts.ts';
import { numberOf } from '../support/seed.ts';
import { dateUnknowns } from './date-unknowns.ts';
import { at, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign } from './workflow-world.ts';

const MINUTE_MS = 60_000;
const { world, strike } = useWorkflowWorld();

/**
 * A campaign to two, of whom the first is unknown and in no list. The machine's clock, by which posts are dated, does
 * not skip; so they are dated as if it stood where the workflows' does.
 */
async function oneAbsent(
  chooses: 'before' | 'after' | 'never',
): Promise<{ campaign: CampaignUnderTest; asked: string[] }> {
  const asked: string[] = [];
  await strike(10);
  world().answer = ({ to: [to = ''] }) => {
    asked.push(to);
    return to === numberOf(0)
      ? { kind: 'unknown', cause: 'reset' }
      : { kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] };
  };
  const campaign = await launchCampaign(
    world(),
    { contacts: 2 },
    { start: 'scheduled', messages: [{ text: 'Hi {{firstName}}', schedule: await inAnHour() }] },
  );
  const { accountId, carrierAccountId } = campaign.account;
  const choose = () => campaign.inside((trx) => updateAccount(trx, accountId, { resendAbsent: true }));
  if (chooses === 'before') await choose();
  await world().pass(HOUR_MS + MINUTE_MS);
  expect(await campaign.report()).toMatchObject({ accepted: 1, unknown: 1 });
  if (chooses === 'after') await choose();
  await dateUnknowns(world(), campaign);
  await world().db.updateTable('carrier_accounts').set({ lists_per_minute: 6_000 }).execute();
  await world().workflows.wakeReconcile(carrierAccountId);
  return { campaign, asked };
}

async function inAnHour(): Promise<{ local: string; zone: string }> {
  return at((await world().now()) + HOUR_MS);
}

describe('a text that the carrier does not have', () => {
  it('is sent again by itself, once, where the account has chosen so beforehand', async () => {
    const { campaign, asked } = await oneAbsent('before');
    await world().pass(8 * MINUTE_MS);
    expect(asked, 'not before the list is sure').toHaveLength(2);
    expect(await campaign.status()).toBe('started');
    await world().pass(15 * MINUTE_MS);
    expect(asked.filter((to) => to === numberOf(0))).toHaveLength(2);
    expect(asked).toHaveLength(3);
    expect(await campaign.report()).toMatchObject({ accepted: 1, unknown: 1 });
    await dateUnknowns(world(), campaign, false);
    await world().pass(24 * HOUR_MS);
    expect(asked, 'a second time only a round does it').toHaveLength(3);
    expect(await campaign.status()).toBe('finished');
  });

  it.each(['never', 'after'] as const)('is not, where the account has chosen so %s', async (chooses) => {
    const { campaign, asked } = await oneAbsent(chooses);
    await world().pass(24 * HOUR_MS);
    expect(asked).toHaveLength(2);
    expect(await campaign.status()).toBe('finished');
    expect(await campaign.report()).toMatchObject({ accepted: 1, unknown: 1 });
  });

  it('is not once it has shown in the list after all', async () => {
    const { campaign, asked } = await oneAbsent('before');
    world().list = ({ since }) => ({
      kind: 'listed',
      texts: [{ uuid: 'uuid-late', at: since }],
      isLast: true,
    });
    await world().pass(HOUR_MS);
    expect(asked).toHaveLength(2);
    expect(await campaign.report()).toMatchObject({ accepted: 2, unknown: 0 });
    world().list = () => ({ kind: 'listed', texts: [], isLast: true });
  });
});
