import type { Client } from '@temporalio/client';
import { eachAtOnce } from '../engine/each-at-once.ts';

/** How many runs a workflow has had, and how many events all of them hold. */
export interface EventCount {
  readonly runs: number;
  readonly events: number;
}

const READ_AT_ONCE = 16;

/** Counts the events of each workflow that a query of visibility finds, all of its runs together, by the workflow's id. */
export async function countEvents(client: Client, query: string): Promise<ReadonlyMap<string, EventCount>> {
  const found: { readonly workflowId: string; readonly runId: string }[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query })) {
    found.push({ workflowId, runId });
  }
  const counted = new Map<string, EventCount>();
  await eachAtOnce(found, READ_AT_ONCE, async ({ workflowId, runId }) => {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const { runs, events } = counted.get(workflowId) ?? { runs: 0, events: 0 };
    counted.set(workflowId, { runs: runs + 1, events: events + (history.events?.length ?? 0) });
  });
  return counted;
}

/** All of them together. */
export function sumEvents(counts: Iterable<EventCount>): EventCount {
  let runs = 0;
  let events = 0;
  for (const one of counts) {
    runs += one.runs;
    events += one.events;
  }
  return { runs, events };
}
