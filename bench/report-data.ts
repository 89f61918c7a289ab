import type { Client } from 'pg';
import type { Db } from '../db/database.ts';
import { numberHash } from '../db/number-hash.ts';
import { withOwner } from '../dev/with-owner.ts';
import type { Post, PostedCampaign } from './callback-data.ts';
import { type DispatchAccount, seedDispatchCampaign } from './dispatch-data.ts';
import { PERSONAL_TEXT } from './texts.ts';

/** A campaign in mid-sending, nearly all of it behind it. */
export interface ReportedCampaign extends PostedCampaign {
  readonly messageKey: number;
  readonly month: string;
}

interface Frozen {
  readonly month: string;
  readonly account_id: string;
  readonly campaign_key: number;
  readonly message_key: number;
  readonly sender_id: string;
}

/** One part of the audience, as a cohort of its own. */
interface Part {
  readonly cohort: number;
  /** His number within the audience. */
  readonly first: number;
  readonly size: number;
  readonly leaseFirst: number;
}

const LEASE_WIDTH = 64;

/**
 * Makes a campaign with so many recipients: those of the account's list are still to be texted; as many have been, and
 * nothing is reported of them yet; of all others everything is known.
 */
export async function seedReportedCampaign(
  db: Db,
  databaseUrl: string,
  account: DispatchAccount,
  size: { readonly recipients: number; readonly listed: number },
  hashKey: Buffer,
): Promise<ReportedCampaign> {
  const campaign = await seedDispatchCampaign(db, account, PERSONAL_TEXT);
  return withOwner(databaseUrl, async (owner) => {
    const found = await owner.query<Frozen>(
      `select c.audience_month as month, c.account_id, c.key as campaign_key, m.key as message_key, c.sender_id
       from campaigns c join messages m on m.campaign_id = c.id where c.id = $1`,
      [campaign.campaignId],
    );
    const [of] = found.rows;
    if (of === undefined) throw new Error('There is no campaign.');
    const known = {
      cohort: 1,
      first: size.listed + 1,
      size: size.recipients - 2 * size.listed,
      leaseFirst: 1_000_000_000,
    };
    const posted = {
      cohort: 2,
      first: known.first + known.size,
      size: size.listed,
      leaseFirst: 2_000_000_000,
    };
    for (const part of [known, posted]) await textPart(owner, of, part);
    await reportPart(owner, of, known);
    await hashRecipients(owner, of, posted, hashKey);
    await owner.query('update campaigns set audience_size = $2, ever_leased = true where key = $1', [
      of.campaign_key,
      size.recipients,
    ]);
    await countRows(owner, of);
    await owner.query('vacuum analyze recipients, leases, attempts, outcomes, rollups');
    const { rows: posts } = await owner.query<Post>(
      `select r.month, a.lease_id as "leaseId", a.request, r.number, a.carrier_uuid as uuid
       from recipients r join attempts a on a.month = r.month and a.message_key = $2 and a.recipient = r.recipient
       where r.month = $1 and r.campaign_key = $3 and r.recipient >= $4 and a.result = 'accepted' order by r.recipient`,
      [of.month, of.message_key, of.campaign_key, posted.first],
    );
    return { ...campaign, posts, messageKey: of.message_key, month: of.month };
  });
}

/** Recipients, the leases that they were texted in, and an attempt each: of a hundred one rejected and two unknown. */
async function textPart(owner: Client, of: Frozen, part: Part): Promise<void> {
  const { cohort, first, size, leaseFirst } = part;
  await owner.query(
    `insert into cohorts (account_id, campaign_key, cohort, time_zone, recipient_first, size)
     values ($1, $2, $3, 'America/New_York', $4, $5)`,
    [of.account_id, of.campaign_key, cohort, first, size],
  );
  await owner.query(
    `insert into waves (month, account_id, campaign_key, message_key, cohort, wave, size, next_ordinal)
     values ($1, $2, $3, $4, $5, 0, $6, $6)`,
    [of.month, of.account_id, of.campaign_key, of.message_key, cohort, size],
  );
  await owner.query(
    `insert into recipients (month, account_id, campaign_key, recipient, contact_id, number, number_hash, country)
     select $1, $2, $3, i, i, '+1' || (3000000000 + i), decode(lpad(to_hex(3000000000 + i), 32, '0'), 'hex'), 'US'
     from generate_series($4::bigint, $4::bigint + $5::bigint - 1) i`,
    [of.month, of.account_id, of.campaign_key, first, size],
  );
  await owner.query(
    `insert into leases (month, id, account_id, campaign_key, message_key, wave_id, ordinal_first, ordinal_last, lane,
       fence, sender_id, width, recorded, segments, cost_micro_usd, spend_month, closed_at)
     select w.month, $3::bigint + i / $4::int, w.account_id, w.campaign_key, w.message_key, w.id, i, x.last, 0, 1, $5,
       x.last - i + 1, x.last - i + 1, x.last - i + 1, (x.last - i + 1) * 7700, to_char(w.month, 'YYYY-MM'), clock_timestamp()
     from waves w cross join generate_series(0, w.size - 1, $4::int) i
     cross join lateral (select least(i + $4::int, w.size) - 1 as last) x
     where w.message_key = $1 and w.cohort = $2 and w.wave = 0`,
    [of.message_key, cohort, leaseFirst, LEASE_WIDTH, of.sender_id],
  );
  await owner.query(
    `insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, request, result, cause,
       carrier_uuid, segments, cost_micro_usd)
     select $1, $2, $3, $4::int + i, 1, $5::bigint + i / $7::int, i % $7::int, x.result,
       case x.result when 'rejected' then '400' when 'unknown' then 'timeout' end,
       case x.result when 'accepted' then md5(($4::int + i)::text)::uuid::text end, 1, 7700
     from generate_series(0, $6::int - 1) i
     cross join lateral (
       select case when i % 100 = 0 then 'rejected' when i % 100 < 3 then 'unknown' else 'accepted' end as result
     ) x`,
    [of.month, of.account_id, of.message_key, first, leaseFirst, size, LEASE_WIDTH],
  );
}

/** Gives those of whom callbacks are to come the hashes that they are found by. */
async function hashRecipients(owner: Client, of: Frozen, part: Part, hashKey: Buffer): Promise<void> {
  const { rows } = await owner.query<{ recipient: number; number: string }>(
    'select recipient, number from recipients where month = $1 and campaign_key = $2 and recipient >= $3',
    [of.month, of.campaign_key, part.first],
  );
  await owner.query(
    `update recipients r set number_hash = decode(x.hash, 'hex') from unnest($3::int[], $4::text[]) x(recipient, hash)
     where r.month = $1 and r.campaign_key = $2 and r.recipient = x.recipient`,
    [
      of.month,
      of.campaign_key,
      rows.map(({ recipient }) => recipient),
      rows.map(({ number }) => numberHash(hashKey, number).toString('hex')),
    ],
  );
}

/** Who was accepted was sent, and of twenty one did not get it. */
async function reportPart(owner: Client, of: Frozen, { first, size }: Part): Promise<void> {
  await owner.query(
    `insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, reason, carrier_uuid, units,
       billed_micro_usd)
     select $1, $2, $3, $4::int + i, 1, s.stage,
       case when s.stage = 'sent' then 'sent' when i % 20 = 5 then 'undelivered' when i % 100 = 7 then 'failed' else 'delivered' end,
       case when s.stage = 'final' and i % 20 = 5 then '80' when s.stage = 'final' and i % 100 = 7 then '100' end,
       md5(($4::int + i)::text)::uuid::text, 1, case when i % 100 = 7 then 0 else 7700 end
     from generate_series(0, $5::int - 1) i cross join (values ('final'), ('sent')) s(stage)
     where i % 100 > 2 and not (i % 100 = 7 and s.stage = 'sent')`,
    [of.month, of.account_id, of.message_key, first, size],
  );
}

/** What its lanes and its reports would have counted. */
async function countRows(owner: Client, of: Frozen): Promise<void> {
  await owner.query(
    `insert into rollups (account_id, message_key, counter, value)
     select $1, $2, x.counter, sum(x.value) from (
       select case result when 'rejected' then 'rejected:' || cause else result end as counter, count(*) as value
       from attempts where message_key = $2 group by 1
       union all
       select y.counter, y.value from (
         select sum(segments) as segments, sum(cost_micro_usd) as cost from attempts
         where message_key = $2 and result in ('accepted', 'unknown')
       ) a cross join lateral (values ('segments', a.segments), ('estimate_micro_usd', a.cost)) y(counter, value)
       union all
       select case when status in ('delivered', 'sent') then status else status || ':' || reason end, count(*)
       from outcomes where message_key = $2 group by 1
       union all
       select y.counter, y.value from (
         select count(*) * 7700 as estimate, sum(billed_micro_usd) as billed from outcomes
         where message_key = $2 and stage = 'final'
       ) o cross join lateral (
         values ('billed_micro_usd', o.billed), ('estimate_of_billed_micro_usd', o.estimate)
       ) y(counter, value)
     ) x where x.value is not null group by x.counter`,
    [of.account_id, of.message_key],
  );
}
