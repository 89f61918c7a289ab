import type { Trx } from '../database.ts';
import type { SliceRef } from './make-parts.ts';
import { whereOpen } from './open-parts.ts';

/** Parts of a slice, by their numbers, whose runs have been started or were there. */
export interface StartedParts extends SliceRef {
  readonly numbers: readonly number[];
}

/** Notes that these parts have a run. One that has lost it since is noted again by repair. */
export async function noteStarted(trx: Trx, { campaignId, numbers }: StartedParts): Promise<void> {
  if (numbers.length === 0) return;
  await trx
    .updateTable('central_parts')
    .set({ needs_run: false })
    .where('central_id', '=', campaignId)
    .where('number', 'in', (parts) =>
      parts
        .selectFrom('central_parts')
        .where('central_id', '=', campaignId)
        .where('number', 'in', [...numbers])
        .where('needs_run', '=', true)
        .select('number')
        .orderBy('number')
        .forUpdate(),
    )
    .execute();
}

/** Notes that every part of a slice that is not over is to be given a run, unless it has one. */
export async function noteToStart(
  trx: Trx,
  { campaignId, slice }: Pick<SliceRef, 'campaignId' | 'slice'>,
): Promise<void> {
  await trx
    .updateTable('central_parts')
    .set({ needs_run: true })
    .where('central_id', '=', campaignId)
    .where(
      'number',
      'in',
      whereOpen(trx, campaignId).where('slice', '=', slice).select('number').orderBy('number').forUpdate(),
    )
    .execute();
}
