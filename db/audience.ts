import { type RawBuilder, sql } from 'kysely';
import type { Trx } from './database.ts';
import { appendLog } from './log.ts';

/** Why an audience cannot be frozen, or how many recipients it has. */
export type FreezeResult =
  { readonly kind: 'frozen'; readonly size: number } | { readonly kind: 'list_gone' };

/**
 * Writes a campaign's recipients, once: each number once, numbered in the order of a keyed hash, so that any
 * prefix is a fair sample. While nobody was ever leased it may be done again; afterwards it never changes.
 *
 * `at` is campaign time; its month names the ledger's partition for everything this campaign ever does.
 */
export async function freezeAudience(trx: Trx, campaignId: string, at: number): Promise<FreezeResult> {
  const campaign = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .select(['key', 'account_id', 'ever_leased', 'audience_frozen_at', 'audience_size', 'audience_month'])
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  const frozen: FreezeResult = { kind: 'frozen', size: campaign.audience_size ?? 0 };
  if (campaign.audience_frozen_at !== null) return frozen;
  if (campaign.ever_leased) {
    await keepAudience(trx, campaignId, at);
    return frozen;
  }
  if (!(await someListExists(trx, campaignId))) return { kind: 'list_gone' };

  await thaw(trx, campaign.key, campaign.audience_month);
  const month = `${new Date(at).toISOString().slice(0, 7)}-01`;
  await sql`select ensure_month(${month}::date)`.execute(trx);
  await prepareForWholeAudience(trx);
  const { numAffectedRows } = await sql`
    with wanted as materialized (${wantedContacts(campaignId)})
    insert into recipients (month, account_id, campaign_key, recipient, contact_id, number, number_hash, country)
    select ${month}, c.account_id, ${campaign.key},
      row_number() over (order by sha256(convert_to(${campaignId}, 'UTF8') || c.number_hash), c.id),
      c.id, c.number, c.number_hash, c.country
    from wanted w join contacts c on c.id = w.contact_id`.execute(trx);
  const size = Number(numAffectedRows ?? 0);
  await sql`
    insert into cohorts (account_id, campaign_key, cohort, time_zone, recipient_first, size)
    select a.id, ${campaign.key}, 0, a.time_zone, 1, ${size} from accounts a where a.id = ${campaign.account_id}`.execute(
    trx,
  );
  await sql`
    insert into waves (month, account_id, campaign_key, message_key, cohort, wave, size)
    select ${month}, m.account_id, ${campaign.key}, m.key, 0, 0, ${size}
    from messages m where m.campaign_id = ${campaignId}`.execute(trx);
  await trx
    .updateTable('campaigns')
    .set({ audience_month: month, audience_size: size, audience_frozen_at: new Date(at) })
    .where('id', '=', campaignId)
    .execute();
  await appendLog(trx, {
    accountId: campaign.account_id,
    campaignId,
    what: 'freeze',
    actor: { id: 'system', via: 'system' },
    detail: { recipients: size },
  });
  return { kind: 'frozen', size };
}

/**
 * A lane has leased somebody of an audience that was to be frozen again: it is the one that counts from then on. Whoever
 * only refused would be asked the same again and again.
 */
async function keepAudience(trx: Trx, campaignId: string, at: number): Promise<void> {
  await trx
    .updateTable('campaigns')
    .set({ audience_frozen_at: new Date(at) })
    .where('id', '=', campaignId)
    .execute();
}

/** Whom the campaign's lists hold, each contact once, without who is on an excluded list: `contact_id`. */
export function wantedContacts(campaignId: string): RawBuilder<unknown> {
  return sql`
    select m.contact_id from list_members m join campaign_lists l on l.list_id = m.list_id
    where l.campaign_id = ${campaignId} and not l.excluded
    except
    select m.contact_id from list_members m join campaign_lists l on l.list_id = m.list_id
    where l.campaign_id = ${campaignId} and l.excluded`;
}

/** Freshly imported contacts have no statistics yet, and a nested loop over them would take minutes. */
export async function prepareForWholeAudience(trx: Trx): Promise<void> {
  await sql`select set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)`.execute(
    trx,
  );
}

/** Undoes {@link prepareForWholeAudience} for what else the transaction does. */
export async function returnToDefaultPlans(trx: Trx): Promise<void> {
  await sql`set local enable_nestloop to default`.execute(trx);
  await sql`set local work_mem to default`.execute(trx);
}

/**
 * Forgets a frozen audience of which nobody was leased, so that it is frozen again before the next start. A message
 * that is being sent keeps it, since its lanes may lease somebody at any moment, and one that has ended for everybody:
 * what became of its recipients would be forgotten with it.
 */
export async function unfreezeAudience(trx: Trx, campaignId: string): Promise<void> {
  await trx
    .updateTable('campaigns')
    .set({ audience_frozen_at: null })
    .where('id', '=', campaignId)
    .where('ever_leased', '=', false)
    .where(
      sql<boolean>`not exists (select from messages m
        where m.campaign_id = campaigns.id and m.status in ('sending', 'sent', 'expired'))`,
    )
    .execute();
}

async function someListExists(trx: Trx, campaignId: string): Promise<boolean> {
  const lists = await trx
    .selectFrom('campaign_lists as c')
    .leftJoin('lists as l', 'l.id', 'c.list_id')
    .where('c.campaign_id', '=', campaignId)
    .where('c.excluded', '=', false)
    .select('l.id')
    .execute();
  return lists.length > 0 && lists.every((list) => list.id !== null);
}

async function thaw(trx: Trx, campaignKey: number, month: string | null): Promise<void> {
  if (month === null) return;
  // Rollups, skips and expiries of a campaign that nobody was ever leased of go with its audience.
  await sql`delete from outcomes o using messages m, campaigns c
    where c.key = ${campaignKey} and m.campaign_id = c.id and o.month = ${month} and o.message_key = m.key`.execute(
    trx,
  );
  for (const table of ['rollups', 'rollup_deltas']) {
    await sql`delete from ${sql.table(table)} r using messages m, campaigns c
      where c.key = ${campaignKey} and m.campaign_id = c.id and r.message_key = m.key`.execute(trx);
  }
  await trx.deleteFrom('waves').where('campaign_key', '=', campaignKey).execute();
  await trx.deleteFrom('cohorts').where('campaign_key', '=', campaignKey).execute();
  await trx
    .deleteFrom('recipients')
    .where('month', '=', month)
    .where('campaign_key', '=', campaignKey)
    .execute();
}
