import { setTimeout as delay } from 'node:timers/promises';
import { type Db, withAccount } from '../db/database.ts';
import { planMessage } from '../db/message-plan.ts';
import { foldRollups } from '../db/repair.ts';
import {
  countAccepted,
  type DispatchAccount,
  type DispatchCampaign,
  seedDispatchCampaign,
} from './dispatch-data.ts';
import { countedAtSink, type DispatchPlace } from './dispatch-place.ts';
import type { BenchWorker } from './start-worker.ts';
import { BULK_TEXT } from './texts.ts';

/** What one campaign took. */
export interface Sent {
  readonly campaign: DispatchCampaign;
  readonly ms: number;
}

/** As often as a worker folds counters, and as many. */
const FOLD_EVERY_MS = 5_000;
const FOLD_ROWS = 20_000;

/**
 * Makes a campaign to the whole list and sends it. Throws an Error unless everybody was texted once and is recorded,
 * in bulk form if all get the same text.
 */
export async function sendCampaign(
  place: DispatchPlace,
  workers: readonly BenchWorker[],
  account: DispatchAccount,
  text: string,
): Promise<Sent> {
  const campaign = await seedDispatchCampaign(place.db, account, text);
  const { result: ms, requests } = await countedAtSink(place, account.contacts, () =>
    sendMessage(place.db, workers, campaign),
  );
  const accepted = await countAccepted(place.db, campaign);
  if (accepted !== account.contacts) throw new Error(`${accepted} of ${account.contacts} are accepted.`);
  if (text === BULK_TEXT && requests > Math.ceil(account.contacts / 2)) {
    throw new Error(`${requests} requests to ${account.contacts} recipients are no bulk form.`);
  }
  return { campaign, ms };
}

/** Sends such campaigns one after another until that is enough. */
export async function sendRepeatedly(
  place: DispatchPlace,
  workers: readonly BenchWorker[],
  account: DispatchAccount,
  text: string,
  isEnough: (sent: { readonly recipients: number; readonly ms: number }) => boolean,
): Promise<{ readonly recipients: number; readonly ms: number }> {
  let recipients = 0;
  let ms = 0;
  do {
    ms += (await sendCampaign(place, workers, account, text)).ms;
    recipients += account.contacts;
  } while (!isEnough({ recipients, ms }));
  return { recipients, ms };
}

/** Does what a message's workflow does: plans, deals the lanes out among the workers, plans again. */
async function sendMessage(
  db: Db,
  workers: readonly BenchWorker[],
  campaign: DispatchCampaign,
): Promise<number> {
  const sent = new AbortController();
  const folding = foldUntil(db, sent.signal);
  try {
    const startedAt = performance.now();
    for (;;) {
      const plan = await withAccount(db, campaign.accountId, (trx) =>
        planMessage(trx, { ...campaign, at: Date.now() }),
      );
      if (plan.kind === 'done') return performance.now() - startedAt;
      if (plan.kind !== 'send') throw new Error(`The message is to ${plan.kind}.`);
      const lanes = Array.from({ length: plan.lanes }, (_, lane) => lane);
      await Promise.all(
        workers.map((worker, turn) =>
          worker.runLanes(
            campaign,
            lanes.filter((lane) => lane % workers.length === turn),
          ),
        ),
      );
    }
  } finally {
    sent.abort();
    await folding;
  }
}

/** Adds up counters, as one worker of an installation does all the time. */
async function foldUntil(db: Db, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(FOLD_EVERY_MS, undefined, { signal }).catch(() => undefined);
    while (!signal.aborted && (await foldRollups(db, FOLD_ROWS)) === FOLD_ROWS);
  }
}
