import { isLive } from '../../domain/campaign-status.ts';
import { FINAL_PART_STATES, type PartState } from '../../domain/central/part-states.ts';
import type { Trx } from '../database.ts';
import type { SliceRef } from './make-parts.ts';

/** A part as its slice shows it. Ids, states and codes only. */
export interface PartLine {
  readonly number: number;
  readonly subAccountId: string;
  readonly campaignId: string | null;
  readonly state: PartState;
  readonly reason: string | null;
}

/** How a slice stands. */
export interface SliceStanding {
  readonly parts: readonly PartLine[];
  /** Parts that are not over. */
  readonly open: number;
  /** The campaign of some part is still to be made. */
  readonly lacksParts: boolean;
  /** Some part was found to have no run. */
  readonly lacksRuns: boolean;
}

/** Reads how a slice stands, and notes that it has seen it. */
export async function readSlice(trx: Trx, { campaignId, slice }: SliceRef): Promise<SliceStanding> {
  // First, so that what changes meanwhile stays news; whoever changes it holds its row, and nobody waits for that here.
  await trx
    .updateTable('central_parts')
    .set({ is_news: false })
    .where('central_id', '=', campaignId)
    .where('number', 'in', (parts) =>
      parts
        .selectFrom('central_parts')
        .where('central_id', '=', campaignId)
        .where('slice', '=', slice)
        .where('is_news', '=', true)
        .select('number')
        .orderBy('number')
        .forUpdate()
        .skipLocked(),
    )
    .execute();
  const rows = await trx
    .selectFrom('central_parts')
    .where('central_id', '=', campaignId)
    .where('slice', '=', slice)
    .select([
      'number',
      'sub_account_id as subAccountId',
      'campaign_id as campaignId',
      'state',
      'reason',
      'needs_run as needsRun',
    ])
    .orderBy('number')
    .execute();
  const { status, deletedAt } = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .select(['status', 'deleted_at as deletedAt'])
    .executeTakeFirstOrThrow();
  // Nothing is made of a campaign that was stopped; what becomes of its parts is the order's to say.
  const isMade = isLive(status) && deletedAt === null;
  const isOver = (state: PartState): boolean => FINAL_PART_STATES.some((final) => final === state);
  return {
    parts: rows.map(({ needsRun: _needsRun, ...part }) => part),
    open: rows.filter(({ state }) => !isOver(state)).length,
    lacksParts: rows.some(({ campaignId: part, state }) => isMade && part === null && state === 'waiting'),
    lacksRuns: rows.some(
      ({ campaignId: part, needsRun, state }) => needsRun && part !== null && !isOver(state),
    ),
  };
}
