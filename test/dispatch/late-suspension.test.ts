import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdCampaign } from '../../db/holds.ts';
import { suspendCampaign } from '../../db/suspend-campaign.ts';
import type { CampaignStatus } from '../../domain/campaign-status.ts';
import { type FrozenCampaign, type LedgerWorld, openLedgerWorld } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const suspend = ({ inside, account, campaignId }: FrozenCampaign): Promise<void> =>
  inside((trx) => suspendCampaign(trx, { accountId: account.accountId, campaignId }, 'spend_limit', 1));

const standing = ({ inside, campaignId }: FrozenCampaign) =>
  inside(async (trx) => {
    const { status } = await trx
      .selectFrom('campaigns')
      .where('id', '=', campaignId)
      .select('status')
      .executeTakeFirstOrThrow();
    const holds = await trx
      .selectFrom('holds')
      .where('scope_id', '=', campaignId)
      .where('lifted_at', 'is', null)
      .select('kind')
      .execute();
    return { status, holds: holds.map(({ kind }) => kind) };
  });

const become = ({ inside, campaignId }: FrozenCampaign, status: CampaignStatus): Promise<unknown> =>
  inside((trx) => trx.updateTable('campaigns').set({ status }).where('id', '=', campaignId).execute());

const openAlerts = ({ inside, campaignId }: FrozenCampaign): Promise<unknown[]> =>
  inside((trx) =>
    trx
      .selectFrom('alerts')
      .where('campaign_id', '=', campaignId)
      .where('resolved_at', 'is', null)
      .select('kind')
      .execute(),
  );

describe('what a lane of before saw of money or the carrier', () => {
  it('suspends a campaign that is under way', async () => {
    const campaign = await world.freeze(1);
    await become(campaign, 'started');
    await suspend(campaign);
    expect(await standing(campaign)).toEqual({ status: 'suspended', holds: ['suspend'] });
  });

  it('leaves a campaign finished that has finished meanwhile', async () => {
    const campaign = await world.freeze(1);
    await become(campaign, 'finished');
    await suspend(campaign);
    expect(await standing(campaign)).toEqual({ status: 'finished', holds: [] });
  });

  it('raises no alert of a campaign that was aborted meanwhile, since nobody could resume it', async () => {
    const campaign = await world.freeze(1);
    const { inside, account, campaignId } = campaign;
    await become(campaign, 'started');
    await inside((trx) =>
      holdCampaign(trx, {
        accountId: account.accountId,
        campaignId,
        kind: 'abort',
        cause: null,
        reason: 'Enough.',
        actor: account.actor,
      }),
    );
    await suspend(campaign);
    expect(await standing(campaign)).toEqual({ status: 'aborted', holds: ['abort'] });
    expect(await openAlerts(campaign)).toEqual([]);
  });
});
