import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { withOwner } from '../dev/with-owner.ts';
import { until } from '../dev/until.ts';
import type { CentralPlace } from './central-place.ts';
import { asOwner, askSink } from './dispatch-place.ts';

/** What is sent, and to how many. */
export interface Sending {
  readonly recipients: number;
  /** Sets it going. */
  readonly order: () => Promise<void>;
  /** The campaigns that text, once all of them are known. */
  readonly campaignIds: () => Promise<readonly string[]>;
}

const PATIENCE_MS = 45 * 60_000;
/** A text that came twice would come within this time. */
const AFTERMATH_MS = 2_000;

/**
 * Milliseconds from an order until the carrier has taken everybody's text, and each message stands as sent. What was
 * written before is on the disk when it begins. Throws an Error unless everybody was texted once.
 */
export async function timeSending(place: CentralPlace, sending: Sending): Promise<number> {
  const { recipients } = sending;
  await asOwner(place.databaseUrl, 'checkpoint');
  const before = (await askSink(place.sinkUrl)).texts;
  const startedAt = performance.now();
  await sending.order();
  await until(
    () => askSink(place.sinkUrl),
    ({ texts }) => texts - before >= recipients,
    PATIENCE_MS,
  );
  const campaignIds = await sending.campaignIds();
  return withOwner(place.databaseUrl, async (owner) => {
    const count = (query: string): Promise<number> => countRows(owner, query, campaignIds);
    await until(
      () => count(UNSENT),
      (unsent) => unsent === 0,
      PATIENCE_MS,
    );
    const ms = performance.now() - startedAt;
    await delay(AFTERMATH_MS);
    const texts = (await askSink(place.sinkUrl)).texts - before;
    const reached = await count(REACHED);
    const attempts = await count(ATTEMPTS);
    if (texts !== recipients || reached !== recipients || attempts !== recipients) {
      throw new Error(
        `${texts} texts went out, ${attempts} attempts were recorded, and ${reached} of ${recipients} people reached.`,
      );
    }
    return ms;
  });
}

const UNSENT = `select count(*)::int as count from messages where campaign_id = any($1) and status <> 'sent'`;
const ATTEMPTS = `select count(*)::int as count from attempts
  where message_key in (select key from messages where campaign_id = any($1))`;
/** Nobody is a contact of two accounts. */
const REACHED = `select count(distinct r.contact_id)::int as count
  from campaigns c join messages m on m.campaign_id = c.id join attempts a on a.message_key = m.key
    join recipients r on r.month = a.month and r.campaign_key = c.key and r.recipient = a.recipient
  where c.id = any($1) and a.result = 'accepted'`;

async function countRows(owner: Client, query: string, campaignIds: readonly string[]): Promise<number> {
  const { rows } = await owner.query<{ count: number }>(query, [[...campaignIds]]);
  return rows[0]?.count ?? 0;
}
