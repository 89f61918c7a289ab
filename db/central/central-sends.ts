import { sql } from 'kysely';
import type { CentralTiming, PartState } from '../../domain/central/part-states.ts';
import type { Trx } from '../database.ts';
import { shownState } from './shown-state.ts';

/** What a central campaign has beside what every campaign has. */
export interface CentralSend {
  readonly presetId: string | null;
  readonly presetName: string | null;
  readonly timing: CentralTiming;
  /** Its pairs are fixed: it has been launched. */
  readonly isFixed: boolean;
}

/** What an owner gives of it. */
export interface CentralDetails {
  readonly presetId?: string | null;
  readonly timing?: CentralTiming;
}

/** Adds what a new central draft has beside its row. */
export async function insertCentralSend(
  trx: Trx,
  campaign: { readonly id: string; readonly accountId: string },
  details: CentralDetails,
): Promise<void> {
  await trx
    .insertInto('central_sends')
    .values({ campaign_id: campaign.id, account_id: campaign.accountId, ...columnsOf(details) })
    .execute();
}

/** Changes it, while its campaign's details may be changed. */
export async function updateCentralSend(
  trx: Trx,
  campaignId: string,
  details: CentralDetails,
): Promise<void> {
  const columns = columnsOf(details);
  if (Object.keys(columns).length === 0) return;
  await trx.updateTable('central_sends').set(columns).where('campaign_id', '=', campaignId).execute();
}

/** The same of the account's central campaign, with the preset's name of today, or of the launch once it was fixed. */
export async function findCentralSend(trx: Trx, campaignId: string): Promise<CentralSend | null> {
  const row = await trx
    .selectFrom('central_sends as s')
    .leftJoin('presets as p', 'p.id', 's.preset_id')
    .where('s.campaign_id', '=', campaignId)
    .select([
      's.preset_id as presetId',
      's.timing',
      sql<string | null>`coalesce(s.preset_name, p.name)`.as('presetName'),
      sql<boolean>`s.fixed_at is not null`.as('isFixed'),
    ])
    .executeTakeFirst();
  return row ?? null;
}

/** Fixes the pairs of the campaign's preset as its parts; once, at the launch. */
export async function fixParts(trx: Trx, campaignId: string): Promise<void> {
  await sql`
    update central_sends s set preset_name = p.name from presets p
    where s.campaign_id = ${campaignId} and p.id = s.preset_id and s.fixed_at is null`.execute(trx);
  await sql`select fix_parts(${campaignId})`.execute(trx);
}

/** Takes the parts of a launch away whose content was refused: nobody was given any of them. */
export async function unfixParts(trx: Trx, campaignId: string): Promise<void> {
  for (const table of ['central_part_lists', 'central_parts'] as const) {
    await trx.deleteFrom(table).where('central_id', '=', campaignId).execute();
  }
  await trx
    .updateTable('central_sends')
    .set({ fixed_at: null, preset_name: null })
    .where('campaign_id', '=', campaignId)
    .execute();
}

/** How many parts of a central campaign show each state, as a list of them would. */
export async function countParts(trx: Trx, campaignId: string): Promise<ReadonlyMap<PartState, number>> {
  const rows = await trx
    .selectFrom('central_parts')
    .where('central_id', '=', campaignId)
    .select((select) => [shownState(campaignId).as('state'), select.fn.countAll<number>().as('parts')])
    .groupBy(sql`1`)
    .execute();
  return new Map(rows.map(({ state, parts }) => [state, parts]));
}

function columnsOf({ presetId, timing }: CentralDetails) {
  return {
    ...(presetId === undefined ? {} : { preset_id: presetId }),
    ...(timing === undefined ? {} : { timing }),
  };
}
