import { sql } from 'kysely';
import { FINAL_PART_STATES } from '../../domain/central/part-states.ts';
import type { Trx } from '../database.ts';

/** A zone in which a local time counts, with one of the accounts that are in it. */
export interface ZoneOfParts {
  readonly accountId: string;
  readonly name: string | null;
  readonly timeZone: string;
}

/** The zones of the parts that are not over, or were stopped and may be restarted; `only`: of this account's, whatever it is. */
export async function zonesOfParts(trx: Trx, campaignId: string, only?: string): Promise<ZoneOfParts[]> {
  const isWanted =
    only === undefined
      ? sql<boolean>`state not in ('done', 'aborted', 'rejected')`
      : sql<boolean>`sub_account_id = ${only}`;
  const { rows } = await sql<ZoneOfParts>`
    select distinct on (time_zone) sub_account_id as "accountId", sub_account_name as name, time_zone as "timeZone"
    from central_parts
    where central_id = ${campaignId} and time_zone is not null and ${isWanted}
    order by time_zone, number`.execute(trx);
  return rows;
}

/** The zones of the parts that are not over, by their names. */
export async function zonesOfOpenParts(trx: Trx, campaignId: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('central_parts')
    .where('central_id', '=', campaignId)
    .where('state', 'not in', FINAL_PART_STATES)
    .where('time_zone', 'is not', null)
    .select('time_zone as timeZone')
    .distinct()
    .execute();
  return rows.flatMap(({ timeZone }) => (timeZone === null ? [] : [timeZone]));
}
