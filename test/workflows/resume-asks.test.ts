import { beforeEach, describe, expect, it } from 'vitest';
import type { CarrierStanding } from '../../domain/carrier-standing.ts';
import { at, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign } from './workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
const WELL: CarrierStanding = { kind: 'told', creditMicroUsd: null, isEnabled: true };

let asked = 0;
const says = (standing: CarrierStanding): void => {
  world().account = () => {
    asked += 1;
    return standing;
  };
};
beforeEach(async () => {
  await strike(10);
  asked = 0;
  says(WELL);
});

/** A campaign whose first text was refused by the carrier for this cause. */
async function suspended(cause: 'credit' | 'credentials'): Promise<CampaignUnderTest> {
  world().answer = () => ({ kind: 'not_accepted', cause, retryAfterMs: null });
  const campaign = await launchCampaign(
    world(),
    { contacts: 2 },
    { start: 'now', messages: [{ text: 'Hello {{firstName}}' }] },
  );
  await world().pass(MINUTE_MS);
  expect(await campaign.campaign()).toMatchObject({
    status: 'suspended',
    statusReasons: [{ code: cause }],
  });
  world().answer = () => ({ kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] });
  return campaign;
}

describe('a campaign that its carrier has suspended', () => {
  it.each([
    ['credit', 'too little credit', { kind: 'told', creditMicroUsd: 1, isEnabled: true }, /credit.*Top/],
    ['credit', 'a disabled account', { kind: 'told', creditMicroUsd: null, isEnabled: false }, /disabled/],
    ['credentials', 'refused credentials', { kind: 'refused' }, /credentials.*Correct/],
    ['credentials', 'silence', { kind: 'silent', retryAfterMs: null }, /does not say/],
  ] as const)(
    'for %s stays so while the carrier answers with %s, and goes on once that is mended',
    async (cause, _what, standing, reason) => {
      const campaign = await suspended(cause);
      says(standing);
      expect(await campaign.order('resume')).toMatchObject({
        state: 'refused',
        reason: expect.stringMatching(reason),
      });
      expect(asked).toBe(1);
      expect(await campaign.status()).toBe('suspended');
      await world().pass(MINUTE_MS);
      expect(world().texts).toEqual([]);

      says(WELL);
      expect((await campaign.order('resume')).state).toBe('applied');
      await world().pass(MINUTE_MS);
      expect(world().texts).toHaveLength(2);
      expect(asked).toBe(2);
    },
  );

  it('goes on where the carrier knows of no accounts: its next text shows it', async () => {
    const campaign = await suspended('credit');
    says({ kind: 'untold' });
    expect((await campaign.order('resume')).state).toBe('applied');
    await world().pass(MINUTE_MS);
    expect(world().texts).toHaveLength(2);
  });

  it('is not restarted after a stop either while the cause persists, and goes on with the rest once it is mended', async () => {
    const campaign = await suspended('credit');
    expect((await campaign.order('stop')).state).toBe('applied');
    const [messageId = ''] = campaign.messageIds;
    const restart = async () => {
      const soon = at((await world().now()) + 2 * MINUTE_MS);
      return campaign.order('restart', {}, new Map([[messageId, soon]]));
    };
    says({ kind: 'told', creditMicroUsd: 1, isEnabled: true });
    expect(await restart()).toMatchObject({
      state: 'refused',
      reason: expect.stringMatching(/credit.*Top/),
    });
    expect(asked).toBe(1);
    expect(await campaign.status()).toBe('stopped');
    expect(await campaign.messages()).toMatchObject([{ status: 'cut', scheduleLocal: null, dueAt: null }]);
    await world().pass(10 * MINUTE_MS);
    expect(world().texts).toEqual([]);

    says(WELL);
    expect((await restart()).state).toBe('applied');
    await world().pass(10 * MINUTE_MS);
    expect(world().texts).toHaveLength(2);
    expect(asked).toBe(2);
  });

  it("is not resumed from Temporal's UI either while the cause persists", async () => {
    const campaign = await suspended('credit');
    says({ kind: 'told', creditMicroUsd: 0, isEnabled: true });
    await world().signal(campaign.campaignId, 'resume');
    await world().pass(MINUTE_MS);
    expect(asked).toBe(1);
    expect(await campaign.status()).toBe('suspended');
    says(WELL);
    await world().signal(campaign.campaignId, 'resume');
    await world().pass(MINUTE_MS);
    expect(world().texts).toHaveLength(2);
  });
});

describe('a campaign that somebody has paused', () => {
  it('is resumed without a question to the carrier', async () => {
    const campaign = await launchCampaign(
      world(),
      { contacts: 1 },
      { start: 'later', messages: [{ text: 'Hello {{firstName}}' }] },
    );
    await world().pass(MINUTE_MS);
    await campaign.order('pause');
    expect((await campaign.order('resume')).state).toBe('applied');
    expect(asked).toBe(0);
  });
});
