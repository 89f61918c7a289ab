import { executeChild, proxyActivities, sleep } from '@temporalio/workflow';
import type * as activities from './sleeper-activities.ts';

/** What a sleeper posts, where and when. */
export interface Sleeper {
  readonly id: string;
  readonly sinkUrl: string;
  readonly dueAt: number;
}

const { post } = proxyActivities<typeof activities>({
  startToCloseTimeout: '1 minute',
  taskQueue: 'bare-dispatch',
});
const { look } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

/** A timer, and then a child. */
export async function sleeper(input: Sleeper): Promise<void> {
  await sleep(Math.max(1, input.dueAt - Date.now()));
  await executeChild(sending, { workflowId: `${input.id}/child`, args: [input] });
}

/** Five activities: the post comes first, so that nothing keeps it waiting. */
export async function sending(input: Sleeper): Promise<void> {
  await post(input.sinkUrl, input.id);
  for (let turn = 0; turn < 4; turn += 1) await look(turn);
}
