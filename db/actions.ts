import { nameOfActor } from './actor-names.ts';
import type { ReachedAccounts } from './central/reached-accounts.ts';
import type { Trx } from './database.ts';

/** An action that was ordered, and what became of it. */
export interface Action {
  readonly id: string;
  readonly campaignId: string;
  readonly name: string;
  readonly state: string;
  readonly result: Record<string, unknown> | null;
  readonly via: string;
  readonly requestedBy: string;
  readonly requestedByName: string | null;
  readonly requestedAt: Date;
  readonly answeredAt: Date | null;
  /** Of a central campaign's: whom it reached. */
  readonly accounts: ReachedAccounts | null;
}

/** The action, or null when this account has none of this id. */
export async function findAction(trx: Trx, campaignId: string, id: string): Promise<Action | null> {
  const row = await trx
    .selectFrom('actions')
    .where('id', '=', id)
    .where('campaign_id', '=', campaignId)
    .select((column) => [
      'id',
      'campaign_id as campaignId',
      'name',
      'state',
      'result',
      'via',
      'requested_by as requestedBy',
      nameOfActor(column.ref('requested_by')).as('requestedByName'),
      'requested_at as requestedAt',
      'answered_at as answeredAt',
      'accounts_reached as reached',
      'accounts_done as done',
    ])
    .executeTakeFirst();
  if (row === undefined) return null;
  const { reached, done, ...action } = row;
  return { ...action, accounts: reached === null || done === null ? null : { reached, done } };
}
