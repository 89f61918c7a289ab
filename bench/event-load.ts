import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { newAccountId } from '../db/accounts.ts';
import { insertCampaign } from '../db/campaigns.ts';
import { type Db, withAccount } from '../db/database.ts';
import { type Deltas, writeDeltas } from '../db/dispatch/rollup.ts';
import { appendLog } from '../db/log.ts';
import { insertMessage } from '../db/messages.ts';
import { foldRollups } from '../db/repair.ts';
import { insertBenchAccount, insertBenchKey } from './bench-account.ts';

/** A campaign that is made to look as if it sent. */
export interface SendingCampaign {
  readonly id: string;
  readonly messageKey: number;
  /** When each count of accepted texts was committed, in epoch milliseconds. */
  readonly accepted: [number, number][];
}

/** An account with campaigns that send, and a key of it. */
export interface EventLoad {
  readonly key: string;
  readonly campaigns: readonly SendingCampaign[];
  /** Writes what lanes write, until this instant. */
  readonly run: (untilMs: number) => Promise<void>;
}

/** A lane records about this often. */
const RECORD_EVERY_MS = 200;
const TEXTS_EACH = 128;
const LOG_EVERY = 10;
const STATUS_EVERY = 25;
const FOLD_EVERY_MS = 5_000;

/** Makes an account with so many campaigns. */
export async function makeEventLoad(db: Db, count: number): Promise<EventLoad> {
  const accountId = newAccountId();
  const { key, campaigns } = await withAccount(db, accountId, async (trx) => {
    await insertBenchAccount(trx, accountId);
    const made: SendingCampaign[] = [];
    for (let index = 0; index < count; index += 1) {
      const id = await insertCampaign(trx, { accountId, createdBy: 'bench', name: `Campaign ${index}` });
      const messageId = await insertMessage(trx, accountId, id, { text: 'Hi' });
      const message = await trx
        .selectFrom('messages')
        .where('id', '=', messageId)
        .select('key')
        .executeTakeFirstOrThrow();
      made.push({ id, messageKey: message.key, accepted: [] });
    }
    await trx.updateTable('campaigns').set({ audience_size: 10_000_000, status: 'sending' }).execute();
    return { key: await insertBenchKey(trx, accountId), campaigns: made };
  });
  return {
    key,
    campaigns,
    run: async (untilMs) => {
      const folding = foldUntil(db, untilMs);
      await Promise.all(campaigns.map((campaign) => send(db, accountId, campaign, untilMs)));
      await folding;
    },
  };
}

async function send(db: Db, accountId: string, campaign: SendingCampaign, untilMs: number): Promise<void> {
  // Spread, as lanes are.
  await delay(Math.random() * RECORD_EVERY_MS);
  let accepted = 0;
  for (let record = 1; Date.now() < untilMs; record += 1) {
    const startedAt = Date.now();
    accepted += TEXTS_EACH;
    const deltas: Deltas = new Map([
      ['accepted', TEXTS_EACH],
      ['segments', TEXTS_EACH],
      ['estimate_micro_usd', TEXTS_EACH * 5_000],
    ]);
    await withAccount(db, accountId, async (trx) => {
      await writeDeltas(trx, accountId, campaign.messageKey, deltas);
      if (record % LOG_EVERY === 0) {
        const line = { accountId, campaignId: campaign.id, what: 'bench' };
        await appendLog(trx, { ...line, actor: { id: 'system', via: 'system' } });
      }
      if (record % STATUS_EVERY === 0) {
        await sql`update campaigns set status = case status when 'sending' then 'started' else 'sending' end
                  where id = ${campaign.id}`.execute(trx);
      }
    });
    campaign.accepted.push([accepted, Date.now()]);
    await delay(Math.max(0, RECORD_EVERY_MS - (Date.now() - startedAt)));
  }
}

async function foldUntil(db: Db, untilMs: number): Promise<void> {
  while (Date.now() < untilMs) {
    await delay(FOLD_EVERY_MS);
    await foldRollups(db, 20_000);
  }
}
