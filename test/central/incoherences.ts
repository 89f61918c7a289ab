import { sql } from 'kysely';
import { type Db, withAccount } from '../../db/database.ts';
import { FINAL_PART_STATES } from '../../domain/central/part-states.ts';
import { LIVE_STATUSES } from '../../domain/campaign-status.ts';
import type { SeededParent } from '../support/seed-central.ts';

/** The state that a part is to show, by its campaign's row. */
const SHOWN = sql<string>`case
  when c.status in ('paused', 'suspended', 'stopped', 'aborted', 'rejected') then c.status
  when c.status = 'finished' then 'done' else 'handed_over' end`;

/**
 * What does not go together of the campaigns of a parent and of their parts, once nobody does anything: a word for each.
 * Empty where all is as it should be.
 */
export async function incoherences(db: Db, { children, parent }: SeededParent): Promise<string[]> {
  const found: string[] = [];
  const ofParent = await withAccount(db, parent.accountId, (trx) =>
    trx
      .selectFrom('central_parts as p')
      .innerJoin('campaigns as w', 'w.id', 'p.central_id')
      .select(['p.sub_account_id as accountId', 'p.central_id as centralId', 'p.campaign_id as campaignId'])
      .select(['p.state', 'w.status as central'])
      .execute(),
  );
  const isLive = (status: string): boolean => LIVE_STATUSES.some((live) => live === status);
  const isOver = (state: string): boolean => FINAL_PART_STATES.some((final) => final === state);
  for (const { accountId, central, state } of ofParent) {
    if (!isLive(central) && !isOver(state))
      found.push(`a part is ${state} under a campaign that is ${central}`);
    const account = await withAccount(db, accountId, (trx) =>
      trx
        .selectFrom('accounts')
        .where('id', '=', accountId)
        .select(['parent_id as parentId', 'disabled_at as disabledAt'])
        .executeTakeFirstOrThrow(),
    );
    const isAway = account.parentId !== parent.accountId || account.disabledAt !== null;
    if (isAway && !isOver(state)) found.push(`a part of an account that is away is ${state}`);
  }
  for (const { accountId } of children) {
    const own = await withAccount(db, accountId, (trx) =>
      trx
        .selectFrom('campaigns as c')
        .where('c.central_id', 'is not', null)
        .select(['c.id', SHOWN.as('shown')])
        .execute(),
    );
    for (const { id, shown } of own) {
      const told = ofParent.find(({ campaignId }) => campaignId === id)?.state;
      if (told !== shown) found.push(`the parent reads ${told} of a part that is ${shown}`);
    }
  }
  for (const { accountId } of [parent, ...children]) found.push(...(await ofAccount(db, accountId)));
  return found;
}

/** What does not go together in one account's own rows. */
function ofAccount(db: Db, accountId: string): Promise<string[]> {
  return withAccount(db, accountId, async (trx) => {
    const { rows } = await sql<{ word: string }>`
      select 'a gate counts ' || g.holds || ' of ' || count(h.id) || ' holds' as word
      from campaigns c join gates g on g.scope_id = c.id
        left join holds h on h.scope_id = c.id and h.lifted_at is null
      group by c.id, g.holds having g.holds <> count(h.id)
      union all
      select 'a campaign is ' || c.status || ' under a hold to ' || h.kind
      from campaigns c join holds h on h.scope_id = c.id and h.lifted_at is null
      where h.kind = 'abort' and c.status <> 'aborted' or h.kind = 'stop' and c.status not in ('stopped', 'aborted')
      union all
      select 'a campaign is ' || c.status || ' without a hold'
      from campaigns c
      where c.status in ('paused', 'suspended', 'stopped', 'aborted')
        and not exists (select from holds h where h.scope_id = c.id and h.lifted_at is null)
      union all
      select 'a message is ' || m.status || ' of a campaign that is ' || c.status
      from campaigns c join messages m on m.campaign_id = c.id
      where c.status in ('stopped', 'aborted') and m.status in ('scheduled', 'sending')
      union all
      select 'the order to ' || a.name || ' waits'
      from actions a where a.state = 'requested'`.execute(trx);
    return rows.map(({ word }) => word);
  });
}
