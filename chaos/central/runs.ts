import { Client, Connection } from '@temporalio/client';

/** A run that the engine knows. Instants in epoch milliseconds. */
export interface Run {
  readonly workflowId: string;
  readonly startedAt: number;
  /** Null while it runs. */
  readonly closedAt: number | null;
}

/** Every run of a campaign, a message, a central campaign or a slice that the engine still knows. */
export async function readRuns(temporalAddress: string): Promise<Run[]> {
  const connection = await Connection.connect({ address: temporalAddress });
  try {
    const client = new Client({ connection });
    const query = "WorkflowType in ('campaign', 'message', 'centralSend', 'centralSlice')";
    const runs: Run[] = [];
    for await (const { workflowId, startTime, closeTime } of client.workflow.list({ query })) {
      runs.push({
        workflowId,
        startedAt: startTime.getTime(),
        closedAt: closeTime === undefined ? null : closeTime.getTime(),
      });
    }
    return runs;
  } finally {
    await connection.close();
  }
}

/** How often a workflow was found to have two runs at the same time. */
export function countOverlaps(runs: readonly Run[]): number {
  const endOf = new Map<string, number>();
  let overlaps = 0;
  for (const { workflowId, startedAt, closedAt } of runs.toSorted(
    (one, other) => one.startedAt - other.startedAt,
  )) {
    const before = endOf.get(workflowId) ?? 0;
    if (before > startedAt) overlaps += 1;
    endOf.set(workflowId, Math.max(before, closedAt ?? Infinity));
  }
  return overlaps;
}
