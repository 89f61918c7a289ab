import { randomBytes } from 'node:crypto';
import { signPlivoCallback } from '../carrier/plivo/callback-signature.ts';
import { callbackUrlsOf } from '../db/callback-url.ts';
import type { Db } from '../db/database.ts';
import { numberHash } from '../db/number-hash.ts';
import { withOwner } from '../dev/with-owner.ts';
import type { ReportTarget } from './callback-posts.ts';
import { type DispatchAccount, type DispatchCampaign, seedDispatchCampaign } from './dispatch-data.ts';
import { PERSONAL_TEXT } from './texts.ts';

/** A campaign whose texts the carrier has accepted and reported nothing of. */
export interface PostedCampaign extends DispatchCampaign {
  readonly posts: readonly Post[];
}

/** One text that was accepted. */
export interface Post {
  readonly month: string;
  readonly leaseId: number;
  readonly request: number;
  readonly number: string;
  readonly uuid: string;
}

const LEASE_WIDTH = 64;
/** Reports of so many people come mixed, as they do from a carrier. */
const NEIGHBOURS = 1_000;

/** Gives contacts the hashes that callbacks find them by. */
export async function hashNumbers(databaseUrl: string, hashKey: Buffer): Promise<void> {
  await withOwner(databaseUrl, async (owner) => {
    const { rows } = await owner.query<{ id: string; number: string }>('select id, number from contacts');
    const hashes = rows.map(({ number }) => numberHash(hashKey, number).toString('hex'));
    await owner.query(
      `update contacts c set number_hash = decode(x.hash, 'hex') from unnest($1::bigint[], $2::text[]) x(id, hash)
       where c.id = x.id`,
      [rows.map(({ id }) => id), hashes],
    );
  });
}

/** Launches a campaign to everybody and writes what its lanes would have: leases, and an accepted attempt each. */
export async function seedPostedCampaign(
  db: Db,
  databaseUrl: string,
  account: DispatchAccount,
): Promise<PostedCampaign> {
  const campaign = await seedDispatchCampaign(db, account, PERSONAL_TEXT);
  return withOwner(databaseUrl, async (owner) => {
    await owner.query(
      `insert into leases (month, account_id, campaign_key, message_key, wave_id, ordinal_first, ordinal_last, lane,
         fence, sender_id, width, recorded, segments, cost_micro_usd, spend_month, closed_at)
       select w.month, w.account_id, w.campaign_key, w.message_key, w.id, x.first, x.last, 0, 1, c.sender_id,
         x.last - x.first + 1, x.last - x.first + 1, x.last - x.first + 1, (x.last - x.first + 1) * 7700,
         to_char(w.month, 'YYYY-MM'), clock_timestamp()
       from waves w join campaigns c on c.key = w.campaign_key
       cross join lateral (
         select i as first, least(i + $2::int, w.size) - 1 as last from generate_series(0, w.size - 1, $2::int) i
       ) x
       where c.id = $1`,
      [campaign.campaignId, LEASE_WIDTH],
    );
    await owner.query(
      'update waves set next_ordinal = size where message_key in (select key from messages where id = $1)',
      [campaign.messageId],
    );
    const { rows } = await owner.query<Post>(
      `with posted as (
         insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, request, result,
           carrier_uuid, segments, cost_micro_usd)
         select l.month, l.account_id, l.message_key, h.recipient_first + o, 1, l.id, o - l.ordinal_first, 'accepted',
           gen_random_uuid()::text, 1, 7700
         from messages m join leases l on l.message_key = m.key join waves w on w.id = l.wave_id
         join cohorts h on h.campaign_key = l.campaign_key and h.cohort = w.cohort
         cross join generate_series(l.ordinal_first, l.ordinal_last) o
         where m.id = $1
         returning month, message_key, recipient, lease_id, request, carrier_uuid
       ), counted as (
         insert into rollup_deltas (account_id, message_key, counter, delta)
         select $2, p.message_key, x.counter, count(*) * x.each from posted p
         cross join (values ('accepted', 1), ('segments', 1), ('estimate_micro_usd', 7700)) x(counter, each)
         group by p.message_key, x.counter, x.each
       )
       select p.month, p.lease_id as "leaseId", p.request, r.number, p.carrier_uuid as uuid
       from posted p join messages m on m.key = p.message_key join campaigns c on c.id = m.campaign_id
       join recipients r on r.month = p.month and r.campaign_key = c.key and r.recipient = p.recipient
       order by p.recipient`,
      [campaign.messageId, account.accountId],
    );
    return { ...campaign, posts: rows };
  });
}

/** What the carrier reports of a campaign: of each text that it is sent, and then how it ended. */
export function reportsOf({ accountId, posts }: PostedCampaign, carrier: ReportTarget): CarrierReport[] {
  const reports: CarrierReport[] = [];
  for (let from = 0; from < posts.length; from += NEIGHBOURS) {
    const neighbours = posts.slice(from, from + NEIGHBOURS);
    for (const stage of ['sent', 'final'] as const) {
      for (const [index, post] of neighbours.entries()) {
        const isLost = stage === 'final' && (from + index) % 20 === 0;
        const status = stage === 'sent' ? 'sent' : isLost ? 'undelivered' : 'delivered';
        const url = callbackUrlsOf(carrier.publicUrl, carrier.signingKey, accountId, post)(post.request);
        const { authToken } = carrier.credentials;
        reports.push({
          uuid: post.uuid,
          stage,
          request: requestOf(url, formOf(post, stage, status), authToken),
        });
      }
    }
  }
  return reports;
}

/** A report as it goes over the wire. */
export interface CarrierReport {
  readonly uuid: string;
  readonly stage: 'sent' | 'final';
  readonly request: string;
}

function formOf(post: Post, stage: 'sent' | 'final', status: string): Record<string, string> {
  const time = new Date().toISOString();
  return {
    MessageUUID: post.uuid,
    From: '24365',
    To: post.number.slice(1),
    Status: status,
    Units: '1',
    TotalRate: '0.007700',
    TotalAmount: '0.007700',
    MCC: '310',
    MNC: '004',
    ErrorCode: stage === 'sent' ? '' : status === 'delivered' ? '000' : '80',
    Sequence: stage === 'sent' ? '2' : '3',
    QueuedTime: time,
    SentTime: time,
    ...(stage === 'final' && { DeliveryReportTime: time }),
  };
}

function requestOf(url: string, params: Record<string, string>, authToken: string): string {
  const nonce = randomBytes(12).toString('hex');
  const { host, pathname } = new URL(url);
  const body = new URLSearchParams(params).toString();
  const headers = {
    host,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(Buffer.byteLength(body)),
    ...signPlivoCallback({ method: 'POST', url, params, authToken, nonce }),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
