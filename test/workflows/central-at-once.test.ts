import { expect, it } from 'vitest';
import { centralWorkflowId, HANDED_SIGNAL, sliceWorkflowId } from '../../workflows/contract.ts';
import { spread } from '../support/seed-central.ts';
import { type CentralUnderTest, type CentralWays, launchCentral } from './central-world.ts';
import { useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
type History = Awaited<ReturnType<ReturnType<typeof world>['historyOf']>>;
type HistoryEvent = NonNullable<History['events']>[number];
const MINUTE_MS = 60_000;

/** Sends to one contact of each of so many accounts, and waits until all are texted. */
async function sendNow(accounts: number, ways: CentralWays = {}): Promise<CentralUnderTest> {
  await strike(10);
  const central = await launchCentral(
    world(),
    Array.from({ length: accounts }, () => ({ contacts: 1 })),
    { start: 'now', messages: [{ text: 'News' }] },
    undefined,
    ways,
  );
  await world().pass(10 * MINUTE_MS);
  expect(world().texts).toHaveLength(accounts);
  return central;
}

/** How many children a run had begun at most, at any time, that had not come so far yet. */
async function mostAtOnce(
  workflowId: string,
  cameSoFar: (event: HistoryEvent) => boolean,
): Promise<{ most: number; begun: number }> {
  const { events } = await world().historyOf(workflowId);
  const counts = { open: 0, most: 0, begun: 0 };
  for (const event of events ?? []) {
    if (event.startChildWorkflowExecutionInitiatedEventAttributes) {
      counts.open += 1;
      counts.begun += 1;
    } else if (cameSoFar(event)) {
      counts.open -= 1;
    }
    counts.most = Math.max(counts.most, counts.open);
  }
  return { most: counts.most, begun: counts.begun };
}

it('four slices of a central campaign hand over at a time, and never more', async () => {
  const slices = 10;
  const central = await sendNow(slices, {
    beforeRun: (campaignId, { parent }) => spread(world().db, parent.accountId, campaignId),
  });
  const handedOver = (event: HistoryEvent): boolean =>
    event.workflowExecutionSignaledEventAttributes?.signalName === HANDED_SIGNAL;
  expect(await mostAtOnce(centralWorkflowId(central.campaignId), handedOver)).toEqual({
    most: 4,
    begun: slices,
  });
});

it('twenty runs of parts are being started at a time by a slice, and never more', async () => {
  const accounts = 45;
  const central = await sendNow(accounts);
  const started = (event: HistoryEvent): boolean =>
    Boolean(event.childWorkflowExecutionStartedEventAttributes);
  expect(await mostAtOnce(sliceWorkflowId(central.campaignId, 0), started)).toEqual({
    most: 20,
    begun: accounts,
  });
});
