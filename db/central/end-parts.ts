import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { LIVE_STATUSES } from '../../domain/campaign-status.ts';
import { orderAction } from '../campaign-orders.ts';
import { lockCampaign } from '../campaigns.ts';
import type { Trx } from '../database.ts';

/** Why the parts of an account end before they are sent. */
export type EndOfParts = 'account_left' | 'account_disabled';

const REASONS: Readonly<Record<EndOfParts, string>> = {
  account_left: 'The account has left its parent.',
  account_disabled: 'The account was disabled.',
};

/**
 * Locks the parts of the account of this transaction that may still be sent, before any gate: whoever leases holds a campaign's
 * row before its gates, and gates in one order.
 */
export async function lockParts(trx: Trx): Promise<readonly string[]> {
  const parts = await trx
    .selectFrom('campaigns')
    .where('central_id', 'is not', null)
    .where('detached_at', 'is', null)
    .where('status', 'in', [...LIVE_STATUSES, 'stopped', 'rejected'])
    .select('id')
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  return parts.map(({ id }) => id);
}

/**
 * Ends what is not sent yet of every central campaign that the account of this transaction has a part in: what was sent
 * stays. Its row has to be locked, so that no part is made meanwhile, and then `parts`. Resolves with the campaigns whose
 * runs have to hear of it.
 */
export async function endParts(
  trx: Trx,
  parts: readonly string[],
  by: { readonly actor: Actor; readonly at: number },
  cause: EndOfParts,
): Promise<readonly string[]> {
  const ended: string[] = [];
  for (const id of parts) {
    const campaign = await lockCampaign(trx, id);
    if (campaign === null) continue;
    const { actor, at } = by;
    const args = { reason: REASONS[cause] };
    const ordered = await orderAction(trx, { campaign, name: 'abort', args, actor, at, cause });
    if (ordered.kind === 'ordered') ended.push(id);
  }
  await trx
    .updateTable('campaigns')
    .set({ detached_at: sql<Date>`clock_timestamp()` })
    .where('central_id', 'is not', null)
    .where('detached_at', 'is', null)
    .execute();
  await sql`select end_waiting_parts(${cause})`.execute(trx);
  return ended;
}
