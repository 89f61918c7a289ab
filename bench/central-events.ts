import { WorkflowNotFoundError } from '@temporalio/client';
import { withAccount } from '../db/database.ts';
import { until } from '../dev/until.ts';
import { eachAtOnce } from '../engine/each-at-once.ts';
import {
  campaignWorkflowId,
  centralWorkflowId,
  messageWorkflowId,
  POKE_SIGNAL,
} from '../workflows/contract.ts';
import type { CentralPlace } from './central-place.ts';
import { countEvents, type EventCount, sumEvents } from './count-events.ts';
import { reportDelivered } from './report-delivered.ts';

/** A central campaign that has been sent. */
export interface SentCentral {
  /** The parent. */
  readonly accountId: string;
  readonly campaignId: string;
  /** The parts' own campaigns. */
  readonly partIds: readonly string[];
}

/** The events of all its runs, from the launch to their ends. */
export interface CentralEvents {
  /** Of the central campaign and its slices. */
  readonly central: EventCount;
  /** How many slices there were. */
  readonly slices: number;
  /** Of the part with the most, and of its message. */
  readonly partMax: number;
  /** Parts that the search attribute does not find, since repair has started their runs and not their slice. */
  readonly unfound: number;
}

const WAKES_AT_ONCE = 50;
const PATIENCE_MS = 30 * 60_000;

/** Lets the campaign and all of its parts come to their ends, and counts what their histories hold then. */
export async function countCentralEvents(place: CentralPlace, sent: SentCentral): Promise<CentralEvents> {
  await endAll(place, sent);
  const { client } = place;
  const central = centralWorkflowId(sent.campaignId);
  await client.workflow.getHandle(central).result();
  const found = await countEvents(client, `CarillonCentral = '${sent.campaignId}'`);
  const messages = await countEvents(client, "WorkflowType = 'message'");
  const slices = [...found].filter(([id]) => id.startsWith(`${central}/`));
  const own = found.get(central);
  if (own === undefined) throw new Error('The search attribute does not find the central campaign.');
  let partMax = 0;
  let unfound = 0;
  for (const partId of sent.partIds) {
    const id = campaignWorkflowId(partId);
    const message = messages.get(messageWorkflowId(partId, 1));
    const byAttribute = found.get(id);
    if (byAttribute === undefined) unfound += 1;
    const part = byAttribute ?? (await countEvents(client, `WorkflowId = '${id}'`)).get(id);
    if (part === undefined || message === undefined) throw new Error('A part has no run.');
    partMax = Math.max(partMax, part.events + message.events);
  }
  return {
    central: sumEvents([own, ...slices.map(([, counted]) => counted)]),
    slices: slices.length,
    partMax,
    unfound,
  };
}

/** The carrier reports that all have been delivered; parts that sleep until then are woken. */
async function endAll(
  { databaseUrl, db, client }: CentralPlace,
  { accountId, campaignId, partIds }: SentCentral,
): Promise<void> {
  await reportDelivered(databaseUrl, partIds);
  await eachAtOnce(partIds, WAKES_AT_ONCE, async (partId) => {
    try {
      // A run that has ended stays so, where a wake would start another.
      await client.workflow.getHandle(campaignWorkflowId(partId)).signal(POKE_SIGNAL);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  });
  await until(
    () =>
      withAccount(db, accountId, (trx) =>
        trx.selectFrom('campaigns').where('id', '=', campaignId).select('status').executeTakeFirstOrThrow(),
      ),
    ({ status }) => status === 'finished',
    PATIENCE_MS,
  );
  // The rows of the last parts say it a moment before their runs end.
  await eachAtOnce(partIds, WAKES_AT_ONCE, (partId) =>
    client.workflow.getHandle(campaignWorkflowId(partId)).result(),
  );
}
