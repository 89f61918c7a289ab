import { sql } from 'kysely';
import type { PartState } from '../../domain/central/part-states.ts';
import type { Trx } from '../database.ts';
import { type Listed, nameHas, type Part } from '../listing.ts';
import { isPartHeld, shownState } from './shown-state.ts';

/** A sub-account's part as its parent may see it: a state and a code, never a count. */
export interface ListedPart {
  readonly accountId: string;
  /** At the launch; null where it was nobody of the parent's any more. */
  readonly name: string | null;
  readonly timeZone: string | null;
  /** Null until it is handed over. */
  readonly campaignId: string | null;
  readonly state: PartState;
  /** A code, which `wordsOfPartReason` has words for. */
  readonly reason: string | null;
  /** The whole campaign is held, or the parent's account, so nothing of the part is sent, whatever its own state. */
  readonly isHeld: boolean;
  readonly endedAt: Date | null;
}

/** A page of the parts of a central campaign, in the order of their accounts' names. */
export async function listParts(
  trx: Trx,
  campaignId: string,
  query: { readonly q?: string; readonly states?: readonly PartState[] } & Part,
): Promise<Listed<ListedPart>> {
  const state = shownState(campaignId);
  let rows = trx.selectFrom('central_parts').where('central_id', '=', campaignId);
  if (query.q !== undefined) rows = rows.where(nameHas(sql.ref('sub_account_name'), query.q));
  if (query.states !== undefined) rows = rows.where(state, 'in', query.states);
  const { total } = await rows
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  const items = await rows
    .select([
      'sub_account_id as accountId',
      'sub_account_name as name',
      'time_zone as timeZone',
      'campaign_id as campaignId',
      state.as('state'),
      'reason',
      isPartHeld(campaignId).as('isHeld'),
      'ended_at as endedAt',
    ])
    .orderBy(sql`lower(sub_account_name)`)
    .orderBy('number')
    .limit(query.limit)
    .offset(query.offset)
    .execute();
  return { items, total };
}
