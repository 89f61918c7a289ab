import type { Client } from 'pg';

/** The month of the ledger that holds the audience. */
const MONTH = '2027-01-01';

/** A finished campaign of one message, of which everything is asked for. */
export interface ExportedCampaign {
  readonly campaignId: string;
  readonly campaignKey: number;
  readonly messageKey: number;
}

/** Writes contacts, a frozen audience of them, one accepted attempt each and what the carrier reported of it. */
export async function seedExportedCampaign(
  owner: Client,
  accountId: string,
  name: string,
  recipients: number,
): Promise<ExportedCampaign> {
  await owner.query(`select ensure_month($1)`, [MONTH]);
  const campaign = await owner.query<{ key: number }>(
    `insert into campaigns (id, account_id, name, status, audience_month, audience_size, audience_frozen_at, created_by)
     values ($1, $2, $3, 'finished', $4, $5, now(), 'bench') returning key`,
    [campaignIdOf(name), accountId, name, MONTH, recipients],
  );
  const campaignKey = campaign.rows[0]?.key ?? 0;
  const message = await owner.query<{ key: number }>(
    `insert into messages (id, account_id, campaign_id, position, text, status)
     values ($1, $2, $3, 1, 'Hello', 'sent') returning key`,
    [campaignIdOf(name).replace('cmp_', 'msg_'), accountId, campaignIdOf(name)],
  );
  const messageKey = message.rows[0]?.key ?? 0;
  await owner.query(
    `with made as (
       insert into contacts (account_id, number, number_hash, country, first_name, last_name)
       select $1, '+1' || (2000000000 + $2::bigint * 10000000 + i), decode(lpad(to_hex($2::bigint * 10000000 + i), 32, '0'), 'hex'),
         'US', 'First ' || i, 'Last, ' || (i % 1000)
       from generate_series(1, $3::int) i returning id, number, number_hash
     )
     insert into recipients (month, account_id, campaign_key, recipient, contact_id, number, number_hash, country)
     select $4, $1, $2, row_number() over (order by id), id, number, number_hash, 'US' from made`,
    [accountId, campaignKey, recipients, MONTH],
  );
  await owner.query(
    `insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, request, result, carrier_uuid, segments, cost_micro_usd)
     select $1, $2, $3, i, 1, i / 100, i % 100, 'accepted', md5(i::text)::uuid::text, 1, 7700 from generate_series(1, $4::int) i`,
    [MONTH, accountId, messageKey, recipients],
  );
  await owner.query(
    `insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, reason, carrier_uuid, units, billed_micro_usd)
     select $1, $2, $3, i, 1, s.stage, case when s.stage = 'sent' then 'sent' when i % 20 = 0 then 'undelivered' else 'delivered' end,
       case when s.stage = 'final' and i % 20 = 0 then '80' end, md5(i::text)::uuid::text, 1, 7700
     from generate_series(1, $4::int) i cross join (values ('sent'), ('final')) s(stage)`,
    [MONTH, accountId, messageKey, recipients],
  );
  await owner.query('vacuum analyze contacts, recipients, attempts, outcomes');
  return { campaignId: campaignIdOf(name), campaignKey, messageKey };
}

/** The same rows as one query, for COPY. */
export function sameRows({ campaignKey, messageKey }: ExportedCampaign): string {
  return `
    select r.recipient, r.contact_id, r.number, p.first_name, p.last_name, 1, f.status, f.reason, a.attempt, a.segments,
      f.billed_micro_usd, a.carrier_uuid, a.recorded_at, greatest(f.recorded_at, s.recorded_at)
    from recipients r
    left join contacts p on p.id = r.contact_id
    left join attempts a on a.month = r.month and a.message_key = ${messageKey} and a.recipient = r.recipient
    left join outcomes f on f.month = r.month and f.message_key = ${messageKey} and f.recipient = r.recipient
      and f.attempt = a.attempt and f.stage = 'final'
    left join outcomes s on s.month = r.month and s.message_key = ${messageKey} and s.recipient = r.recipient
      and s.attempt = a.attempt and s.stage = 'sent'
    where r.month = '${MONTH}' and r.campaign_key = ${campaignKey}
    order by r.recipient`;
}

function campaignIdOf(name: string): string {
  return `cmp_${name.padEnd(26, '0')}`;
}
