import { type RawBuilder, sql } from 'kysely';
import { FINAL_PART_STATES, type PartState } from '../../domain/central/part-states.ts';
import type { Trx } from '../database.ts';

/** What is over and may be sent yet, which an action concerns beside what is not over. */
const ALSO: Readonly<Record<string, readonly PartState[]>> = {
  stop: ['rejected'],
  // By the time a restart is carried out the stop before it has ended what was rejected.
  restart: ['rejected', 'stopped'],
  abort: ['rejected', 'stopped'],
  delete: ['rejected', 'stopped'],
};

/** Whether an action concerns the part of a row of `central_parts`. */
export function isReachedBy(action: string): RawBuilder<boolean> {
  const also = ALSO[action] ?? [];
  const over = FINAL_PART_STATES.filter((state) => !also.includes(state));
  return sql<boolean>`state <> all (${over})`;
}

/** How many accounts of a central campaign an action reaches. */
export interface ReachedAccounts {
  /** Whose part it concerned when it was ordered. */
  readonly reached: number;
  /** The others: their part was over by then, or the campaign was. */
  readonly done: number;
}

/** An action of a central campaign that was ordered. */
interface OrderedAction {
  readonly id: string;
  readonly name: string;
  /** `applied` at once: the archive, or a delete of what rests. That is done in the parent's own row, and in no part. */
  readonly state: 'requested' | 'applied';
}

/** Counts them, and writes them down with the action, since parts end while it is carried out. */
export async function noteReachedAccounts(
  trx: Trx,
  campaignId: string,
  { id, name, state }: OrderedAction,
): Promise<ReachedAccounts> {
  const isReached = state === 'applied' ? sql<boolean>`false` : isReachedBy(name);
  const { reached, done } = await trx
    .selectFrom('central_parts')
    .where('central_id', '=', campaignId)
    .select((select) => [
      select.fn.countAll<number>().filterWhere(isReached).as('reached'),
      select.fn.countAll<number>().filterWhere(select.not(isReached)).as('done'),
    ])
    .executeTakeFirstOrThrow();
  await trx
    .updateTable('actions')
    .set({ accounts_reached: reached, accounts_done: done })
    .where('id', '=', id)
    .execute();
  return { reached, done };
}
