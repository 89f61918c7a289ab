import type { NotNull } from 'kysely';
import { FINAL_PART_STATES } from '../../domain/central/part-states.ts';
import type { Trx } from '../database.ts';
import type { MadePart, SliceRef } from './make-parts.ts';

/** The parts of a slice that have a campaign and are not over, or only those of them that were found to have no run. */
export async function openParts(
  trx: Trx,
  { campaignId, slice }: Pick<SliceRef, 'campaignId' | 'slice'>,
  which: 'all' | 'missing' = 'all',
): Promise<MadePart[]> {
  return shown(whereOpen(trx, campaignId))
    .where('slice', '=', slice)
    .$if(which === 'missing', (parts) => parts.where('needs_run', '=', true))
    .execute();
}

/** Those of a whole central campaign, a page of them. */
export async function pageOfOpenParts(
  trx: Trx,
  campaignId: string,
  after: number,
  howMany: number,
): Promise<MadePart[]> {
  return shown(whereOpen(trx, campaignId)).where('number', '>', after).limit(howMany).execute();
}

/** Parts of a central campaign that have a campaign and are not over. */
export function whereOpen(trx: Trx, campaignId: string) {
  return trx
    .selectFrom('central_parts')
    .where('central_id', '=', campaignId)
    .where('state', 'not in', FINAL_PART_STATES)
    .where('campaign_id', 'is not', null);
}

function shown(parts: ReturnType<typeof whereOpen>) {
  return parts
    .select(['number', 'sub_account_id as subAccountId', 'campaign_id as campaignId'])
    .orderBy('number')
    .$narrowType<{ campaignId: NotNull }>();
}
