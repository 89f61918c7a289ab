import { type RawBuilder, sql } from 'kysely';
import type { PartState } from '../../domain/central/part-states.ts';

/**
 * Whether the whole campaign or the parent's account is held, so that nothing of the row's part is sent, whatever the
 * part's own state. The gates are asked once, and not again for each part.
 */
export function isPartHeld(campaignId: string): RawBuilder<boolean> {
  return sql<boolean>`(state in ('waiting', 'handed_over') and exists (
    select from gates g join campaigns c on c.id = ${campaignId}
    where g.scope_id in (c.id, c.account_id) and g.holds > 0))`;
}

/** The state in which the row's part shows: what the parent's own pause keeps is paused, without a word to any part. */
export function shownState(campaignId: string): RawBuilder<PartState> {
  return sql<PartState>`case when ${isPartHeld(campaignId)} then 'paused' else state end`;
}
