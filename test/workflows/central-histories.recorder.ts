import { describe, it } from 'vitest';
import { openParts } from '../../db/central/open-parts.ts';
import { withAccount } from '../../db/database.ts';
import { noteMissingRuns } from '../../db/repair.ts';
import { until } from '../../dev/until.ts';
import { centralWorkflowId, sliceWorkflowId } from '../../workflows/contract.ts';
import { type CentralUnderTest, launchCentral } from './central-world.ts';
import { storeHistory } from './store-history.ts';
import { at, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import type { History } from './workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
const TEXT = 'News of {{account.senderName}}, reply STOP to opt out.';
const CHILDREN = [{ contacts: 2 }, { contacts: 1 }, { contacts: 1 }];

function historyOf(workflowId: string, runId?: string): Promise<History> {
  return world().client.workflow.getHandle(workflowId, runId).fetchHistory();
}

/** The newest run of the campaign and of its slice. */
async function store(name: string, { campaignId }: CentralUnderTest): Promise<void> {
  await storeHistory(`${name}.central`, await historyOf(centralWorkflowId(campaignId)));
  await storeHistory(`${name}.slice0`, await historyOf(sliceWorkflowId(campaignId, 0)));
}

/** Lets the parts come to their end, and the slices hear of it. */
async function settle(central: CentralUnderTest): Promise<void> {
  await world().pass(20 * MINUTE_MS);
  await central.look();
  await world().pass(MINUTE_MS);
}

describe('histories of central campaigns', () => {
  it('records one that is sent at once', async () => {
    await strike(10);
    const central = await launchCentral(world(), CHILDREN, { start: 'now', messages: [{ text: TEXT }] });
    await settle(central);
    await store('central-sent', central);
  });

  it('records one that sleeps, is paused and resumed', async () => {
    const morning = await strike(9);
    const central = await launchCentral(world(), CHILDREN, {
      start: 'scheduled',
      messages: [{ text: TEXT, schedule: at(morning + HOUR_MS) }],
    });
    await world().pass(MINUTE_MS);
    await central.order('pause');
    await world().pass(HOUR_MS);
    await central.order('resume');
    await settle(central);
    await store('central-steered', central);
  });

  it('records one that is stopped and restarted', async () => {
    const morning = await strike(9);
    const central = await launchCentral(world(), CHILDREN, {
      start: 'scheduled',
      messages: [{ text: TEXT, schedule: at(morning + HOUR_MS) }],
    });
    await world().pass(MINUTE_MS);
    await central.order('stop');
    await settle(central);
    await store('central-stopped', central);
    const [messageId = ''] = central.messageIds;
    const schedule = at((await world().now()) + HOUR_MS);
    const messages = [{ messageId, ...schedule }];
    await central.order('restart', { messages }, new Map([[messageId, schedule]]));
    await world().pass(HOUR_MS);
    await settle(central);
    await store('central-restarted', central);
  });

  // The last one: no time is skipped any more once a slice has gone on as new, as it does where time is real.
  it('records a slice that hands over, awaits, starts what is missing, and ends', async () => {
    const morning = await strike(9);
    const asReal = await launchCentral(
      world(),
      CHILDREN,
      { start: 'scheduled', messages: [{ text: TEXT, schedule: at(morning + 20 * HOUR_MS) }] },
      undefined,
      { time: 'real' },
    );
    const { campaignId, parent } = asReal;
    const central = centralWorkflowId(campaignId);
    const slice = sliceWorkflowId(campaignId, 0);
    const handingOver = await until(
      async () => firstChildOf(await historyOf(central)),
      (runId) => runId !== null,
    );
    const awaiting = await storeOnceOver('slice-handed-over', slice, handingOver ?? '');
    const parts = await withAccount(world().db, parent.accountId, (trx) =>
      openParts(trx, { campaignId, slice: 0 }),
    );
    await noteMissingRuns(
      world().db,
      parts.map((part) => part.campaignId),
    );
    await asReal.look();
    const starting = await storeOnceOver('slice-awaited', slice, awaiting);
    await storeOnceOver('slice-started-missing', slice, starting);
    await asReal.order('abort');
    await until(
      async () => {
        await asReal.look();
        return world().client.workflow.getHandle(central).describe();
      },
      ({ status }) => status.name === 'COMPLETED',
    );
    await storeHistory('slice-ended', await historyOf(slice));
    await storeHistory('central-aborted.central', await historyOf(central));
  });
});

/** The run of the first child that a run has started. */
function firstChildOf(history: History): string | null {
  const started = history.events?.find((event) => event.childWorkflowExecutionStartedEventAttributes);
  return started?.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.runId ?? null;
}

/** Stores a run once it has gone on as new. Resolves with the run that it went on as. */
async function storeOnceOver(name: string, workflowId: string, runId: string): Promise<string> {
  const history = await until(
    () => historyOf(workflowId, runId),
    (seen) => wentOnAs(seen) !== null,
  );
  await storeHistory(name, history);
  return wentOnAs(history) ?? '';
}

function wentOnAs(history: History): string | null {
  return history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? null;
}
