import { FINAL_PART_STATES } from '../../domain/central/part-states.ts';
import type { Trx } from '../database.ts';

/** How many accounts of a central campaign an action reaches. */
export interface ReachedAccounts {
  /** Whose part was not over yet when it was ordered. */
  readonly reached: number;
  /** Whose part was over by then. */
  readonly done: number;
}

/** Counts them, and writes them down with the action, since parts end while it is carried out. */
export async function noteReachedAccounts(
  trx: Trx,
  campaignId: string,
  actionId: string,
): Promise<ReachedAccounts> {
  const counted = await trx
    .selectFrom('central_parts')
    .where('central_id', '=', campaignId)
    .select((select) => [
      select.fn.countAll<number>().filterWhere('state', 'not in', FINAL_PART_STATES).as('reached'),
      select.fn.countAll<number>().filterWhere('state', 'in', FINAL_PART_STATES).as('done'),
    ])
    .executeTakeFirstOrThrow();
  const { reached, done } = counted;
  await trx
    .updateTable('actions')
    .set({ accounts_reached: reached, accounts_done: done })
    .where('id', '=', actionId)
    .execute();
  return { reached, done };
}
