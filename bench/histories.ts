import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { type Db, openDatabase, openPool, withAccount } from '../db/database.ts';
import { startSystem } from '../dev/launcher.ts';
import { freePorts } from '../dev/ports.ts';
import { inThrowawayHome } from '../dev/throwaway-home.ts';
import { createWorkflowClient } from '../engine/workflow-client.ts';
import { campaignWorkflowId } from '../workflows/contract.ts';
import { eventsMax } from '../workflows/events-max.ts';
import type { BenchOptions } from './bench.ts';
import { countEvents, type EventCount, sumEvents } from './count-events.ts';
import {
  countAccepted,
  type DispatchCampaign,
  launchCampaign,
  seedDispatchAccount,
} from './dispatch-data.ts';
import { type BenchRow, boundRow } from './pairs.ts';
import { reportDelivered } from './report-delivered.ts';
import { startServer } from './start-server.ts';
import { BULK_TEXT } from './texts.ts';

const RECIPIENTS = 1_000_000;
const POLL_MS = 500;
const PATIENCE_MS = 30 * 60_000;

interface HistoryBench {
  readonly db: Db;
  readonly databaseUrl: string;
  readonly client: Client;
  readonly recipients: number;
  readonly progress: (line: string) => void;
}

/**
 * Counts the events of all workflow runs of a campaign with a million recipients, who all get one text, from its launch
 * to its end, beside the most that there may be: `eventsMax`.
 */
export function benchHistories(options: BenchOptions): Promise<BenchRow[]> {
  const recipients = options.rows ?? RECIPIENTS;
  return inThrowawayHome('bench', async (home) => {
    const [sinkPort = 0] = await freePorts(1);
    const sink = await startServer(['bench/yardsticks/sink.ts', String(sinkPort)], {});
    try {
      const system = await startSystem({
        home,
        ports: 'free',
        env: {
          PATH: process.env['PATH'],
          HOME: process.env['HOME'],
          PLIVO_API_URL: `http://127.0.0.1:${sinkPort}`,
        },
        progress: () => undefined,
        temporalInMemory: true,
      });
      const { database: databaseUrl, temporalAddress: address } = system.urls;
      const db = openDatabase(
        openPool({ connectionString: databaseUrl, connectionsMax: 2, role: 'carillon_app' }),
      );
      try {
        const connection = await Connection.connect({ address });
        try {
          const client = new Client({ connection });
          return [await histories({ db, databaseUrl, client, recipients, progress: options.progress })];
        } finally {
          await connection.close();
        }
      } finally {
        await db.destroy();
        await system.stop();
      }
    } finally {
      await sink.stop();
    }
  });
}

async function histories(bench: HistoryBench): Promise<BenchRow> {
  const { db, recipients } = bench;
  bench.progress(`Making ${recipients} contacts`);
  const account = await seedDispatchAccount(db, bench.databaseUrl, recipients);
  const { accountId } = account;
  bench.progress(`A campaign to ${recipients} recipients`);
  const campaign = await withAccount(db, accountId, (trx) =>
    launchCampaign(trx, account, { text: BULK_TEXT }, Date.now()),
  );
  await createWorkflowClient(bench.client, 'real').ensureCampaign(accountId, campaign.campaignId);
  await reaches(bench, campaign, 'messages', 'sent');
  const accepted = await countAccepted(db, campaign);
  if (accepted !== recipients) throw new Error(`${accepted} of ${recipients} are accepted.`);
  bench.progress('The carrier reports that all have been delivered');
  await reportDelivered(bench.databaseUrl, [campaign.campaignId]);
  await reaches(bench, campaign, 'campaigns', 'finished');
  const { runs, events } = await countCampaign(bench.client, campaign.campaignId);
  const max = eventsMax({
    messages: 1,
    windowOpenings: 0,
    daysAsleep: 0,
    actions: 1,
    recipients,
    laneTenMinutes: 0,
  });
  return boundRow(
    {
      bench: `histories: events of all ${runs} runs at ${recipients} recipients`,
      yardstick: 'the most that there may be',
      unit: 'events',
    },
    [events],
    max,
  );
}

async function reaches(
  { db }: HistoryBench,
  { accountId, campaignId, messageId }: DispatchCampaign,
  table: 'campaigns' | 'messages',
  wanted: string,
): Promise<void> {
  const startedAt = performance.now();
  const id = table === 'campaigns' ? campaignId : messageId;
  for (;;) {
    const { status } = await withAccount(db, accountId, (trx) =>
      trx.selectFrom(table).where('id', '=', id).select('status').executeTakeFirstOrThrow(),
    );
    if (status === wanted) return;
    if (performance.now() - startedAt > PATIENCE_MS) throw new Error(`It is still ${status}.`);
    await delay(POLL_MS);
  }
}

/** Of the campaign and its message, each run. Throws while one of them runs that should have ended. */
async function countCampaign(client: Client, campaignId: string): Promise<EventCount> {
  // The end of a run is listed a moment after it.
  await client.workflow.getHandle(campaignWorkflowId(campaignId)).result();
  const counted = sumEvents(
    (await countEvents(client, `WorkflowId STARTS_WITH '${campaignWorkflowId(campaignId)}'`)).values(),
  );
  if (counted.runs < 2) throw new Error(`Only ${counted.runs} runs are known.`);
  return counted;
}
