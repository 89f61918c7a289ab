import { expect, it } from 'vitest';
import { spread } from '../support/seed-central.ts';
import { launchCentral } from './central-world.ts';
import { useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;

it('slices whose accounts wait for their hours keep no other slice from being handed over', async () => {
  await strike(10);
  // It is midnight in Tokyo then.
  const asleep = Array.from({ length: 5 }, () => ({ contacts: 1, timeZone: 'Asia/Tokyo' }));
  await launchCentral(
    world(),
    [...asleep, { contacts: 1 }, { contacts: 1 }],
    { start: 'now', messages: [{ text: 'News of {{account.senderName}}, reply STOP to opt out.' }] },
    undefined,
    { beforeRun: (campaignId, { parent }) => spread(world().db, parent.accountId, campaignId) },
  );
  await world().pass(MINUTE_MS);
  const branches = world().texts.map(({ text }) => text.slice(0, 'News of Branch 1'.length));
  expect(branches.toSorted()).toEqual(['News of Branch 6', 'News of Branch 7']);
});
