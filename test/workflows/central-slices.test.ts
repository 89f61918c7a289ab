import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { spread } from '../support/seed-central.ts';
import { campaignWorkflowId, centralWorkflowId, sliceWorkflowId } from '../../workflows/contract.ts';
import { launchCentral } from './central-world.ts';
import { at, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';

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

it('the run of a central campaign shows how its parts stand once their states have changed', async () => {
  const due = (await strike(10)) + HOUR_MS;
  const central = await launchCentral(world(), [{ contacts: 1 }, { contacts: 1 }, { contacts: 1 }], {
    start: 'scheduled',
    messages: [{ text: 'News', schedule: at(due) }],
  });
  await world().pass(MINUTE_MS);
  await central.look();
  await world().pass(MINUTE_MS);
  expect(await detailsOf(centralWorkflowId(central.campaignId))).toContain('| handed_over | 3 |');

  await central.inPart(1, (trx, id) =>
    trx.updateTable('campaigns').set({ status: 'paused' }).where('id', '=', id).execute(),
  );
  await withTold(central.campaignId);
  await central.look();
  await world().pass(MINUTE_MS);
  const details = await detailsOf(centralWorkflowId(central.campaignId));
  expect(details).toContain('| handed_over | 2 |');
  expect(details).toContain('| paused | 1 |');
});

it("leads in Temporal's UI by links from the central campaign's run to its slice, and from there to each account's", async () => {
  const due = (await strike(10)) + HOUR_MS;
  const central = await launchCentral(world(), [{ contacts: 1 }, { contacts: 1 }, { contacts: 1 }], {
    start: 'scheduled',
    messages: [{ text: 'News', schedule: at(due) }],
  });
  await world().pass(MINUTE_MS);
  await central.look();
  await world().pass(MINUTE_MS);
  const sliceId = sliceWorkflowId(central.campaignId, 0);
  expect(await detailsOf(centralWorkflowId(central.campaignId))).toContain(linkOf('Slice 0', sliceId));
  // Below the two lines of the table's head.
  const lines = (await detailsOf(sliceId)).split('\n').slice(2);
  const wanted = (await central.parts()).map(({ accountId, campaignId }) => {
    const id = campaignId ?? 'not made';
    return `| ${accountId} | handed_over | ${linkOf(id, campaignWorkflowId(id))} |`;
  });
  expect(lines.toSorted()).toEqual(wanted.toSorted());
});

it("gives each part's run the fairness key of the parent, so that many sub-accounts have one share of the workers among parents", async () => {
  const due = (await strike(10)) + HOUR_MS;
  const central = await launchCentral(world(), [{ contacts: 1 }, { contacts: 1 }], {
    start: 'scheduled',
    messages: [{ text: 'News', schedule: at(due) }],
  });
  await world().pass(MINUTE_MS);
  const keys = await Promise.all(
    [0, 1].map((index) => central.inPart(index, (_trx, id) => fairnessKeyOf(id))),
  );
  expect(keys).toEqual([central.parent.accountId, central.parent.accountId]);
});

/** By what the engine shares workers out to the run of this campaign. */
async function fairnessKeyOf(campaignId: string): Promise<string | null | undefined> {
  const { events } = await world().history(campaignId);
  return events?.[0]?.workflowExecutionStartedEventAttributes?.priority?.fairnessKey;
}

/** What Temporal's UI shows of this run. */
async function detailsOf(workflowId: string): Promise<string> {
  const run = world().client.workflow.getHandle(workflowId);
  const { currentDetails } = await run.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return currentDetails ?? '';
}

/** Where the UI has a run of this namespace. */
function linkOf(words: string, workflowId: string): string {
  const { namespace } = world().client.options;
  return `[${words}](/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)})`;
}

/** As if its run had been told of its parts two minutes earlier: that is counted by the machine's time, which nobody skips. */
async function withTold(campaignId: string): Promise<void> {
  await sql`select note_centrals_told(${[campaignId]}::text[], clock_timestamp() - interval '2 minutes')`.execute(
    world().db,
  );
}
