import { describe, expect, it } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { liftHold } from '../../db/lift-hold.ts';
import { placeHold } from '../../db/place-hold.ts';
import { holdsToWake, wakeAfterHold } from '../../db/wake-after-hold.ts';
import { type HoldScope, INSTALLATION } from '../../domain/hold.ts';
import { HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign } from './workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
const RECIPIENTS = 600;

const accountOf = (campaign: CampaignUnderTest, scope: HoldScope): string =>
  scope === 'installation' ? 'operator' : campaign.account.accountId;

function idOf(campaign: CampaignUnderTest, scope: HoldScope): string {
  const [messageId = ''] = campaign.messageIds;
  return {
    installation: INSTALLATION,
    account: campaign.account.accountId,
    sender: campaign.account.senderId,
    campaign: campaign.campaignId,
    message: messageId,
  }[scope];
}

/** Places a hold as its route does. */
async function hold(
  campaign: CampaignUnderTest,
  scope: HoldScope,
): Promise<{ id: string; inFlight: number }> {
  const accountId = accountOf(campaign, scope);
  const at = await world().now();
  const placed = await withAccount(world().db, accountId, (trx) =>
    placeHold(trx, {
      accountId,
      scope,
      scopeId: idOf(campaign, scope),
      reason: 'Checked first.',
      actor: campaign.account.actor,
      byOperator: scope === 'installation',
      at,
    }),
  );
  if (placed.kind !== 'placed') throw new Error(placed.kind);
  return { id: placed.hold.id, inFlight: placed.inFlight };
}

/** Lifts it as its route does; whom the route would wake the caller wakes. */
async function lift(campaign: CampaignUnderTest, scope: HoldScope, id: string): Promise<void> {
  const at = await world().now();
  const by = { actor: campaign.account.actor, isOperator: true, at };
  const result = await withAccount(world().db, accountOf(campaign, scope), (trx) =>
    liftHold(trx, id, by, () => undefined),
  );
  if (result.kind === 'ordered') {
    const { accountId } = campaign.account;
    await world().workflows.applyAction(accountId, campaign.campaignId, result.actionId);
  }
}

/** What repair does for holds that were lifted. */
async function wakeAll(): Promise<void> {
  for (const lifted of await holdsToWake(world().db, 10)) {
    await wakeAfterHold(world().db, lifted, world().workflows.wakeCampaign);
  }
}

async function eventsOf(campaign: CampaignUnderTest): Promise<number> {
  return (await world().history(campaign.campaignId)).events?.length ?? 0;
}

describe.each(['installation', 'account', 'sender', 'campaign', 'message'] as const)(
  'a hold on the %s',
  (scope) => {
    it('in the middle of a send lets out no more than it named, costs nothing while it stands, and lets the rest go when it is lifted', async () => {
      await strike(10);
      let posts = 0;
      const placed: Promise<{ id: string; inFlight: number; before: number }>[] = [];
      world().answer = () => {
        posts += 1;
        if (posts === 60) {
          placed.push(hold(campaign, scope).then((one) => ({ ...one, before: world().texts.length })));
        }
        return { kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] };
      };
      const campaign = await launchCampaign(
        world(),
        { contacts: RECIPIENTS, segmentsPerSecond: 200 },
        { start: 'now', messages: [{ text: 'Middle {{firstName}}' }] },
      );
      await world().pass(MINUTE_MS);
      const [{ id, inFlight, before } = { id: '', inFlight: 0, before: 0 }] = await Promise.all(placed);
      const sent = world().texts.length;
      expect(sent).toBeLessThanOrEqual(before + inFlight);
      expect(sent).toBeLessThan(RECIPIENTS);
      expect(await campaign.status()).toBe(scope === 'campaign' ? 'paused' : 'started');

      const events = await eventsOf(campaign);
      await world().pass(3 * HOUR_MS);
      expect(world().texts).toHaveLength(sent);
      expect(await eventsOf(campaign)).toBe(events);

      await lift(campaign, scope, id);
      await wakeAll();
      await world().pass(HOUR_MS);
      expect(world().texts).toHaveLength(RECIPIENTS);
      expect(new Set(world().texts.map((text) => text.to)).size).toBe(RECIPIENTS);
      expect(await campaign.status()).toBe('finished');
      expect(await holdsToWake(world().db, 10)).toEqual([]);
    });
  },
);

it('two holds keep a campaign until both are lifted', async () => {
  await strike(10);
  const campaign = await launchCampaign(
    world(),
    { contacts: 2 },
    { start: 'later', messages: [{ text: 'Held twice' }] },
  );
  await world().pass(MINUTE_MS);
  const first = await hold(campaign, 'sender');
  const second = await hold(campaign, 'account');
  await campaign.order('start', { start: 'now' });
  await world().pass(MINUTE_MS);
  expect(await campaign.status()).toBe('started');
  await lift(campaign, 'sender', first.id);
  await wakeAll();
  await world().pass(HOUR_MS);
  expect(world().texts).toEqual([]);
  await lift(campaign, 'account', second.id);
  await wakeAll();
  await world().pass(HOUR_MS);
  expect(world().texts).toHaveLength(2);
});
