import { sql } from 'kysely';
import type { ShownHoldScope } from '../domain/hold.ts';
import type { Trx } from './database.ts';
import { prepareQuery } from './prepared-query.ts';

/** A hold that keeps a campaign or a part of it. */
export interface HoldOver {
  readonly id: string;
  readonly scope: ShownHoldScope;
  readonly scopeId: string;
  readonly kind: string;
  readonly cause: string | null;
  readonly reason: string;
  readonly placedAt: Date;
}

/** Every hold that stands over a campaign or one of its messages, the widest scopes too, in the order they came. Of what keeps
 * a part's central campaign or its parent the words are not the account's to read. */
export async function holdsOver(
  trx: Trx,
  campaign: { readonly id: string; readonly accountId: string },
): Promise<HoldOver[]> {
  return askForHolds(trx, campaign);
}

const askForHolds = prepareQuery((db, given: { readonly id: string; readonly accountId: string }) =>
  sql<HoldOver>`
    select id, scope, scope_id as "scopeId", kind, cause, reason, placed_at as "placedAt"
    from holds
    where lifted_at is null and scope_id = any(
      array[${given.accountId}, ${given.id}]
      || array(select c.sender_id from campaigns c where c.id = ${given.id} and c.sender_id is not null
        -- A central campaign has a sender for its tests only.
        and (c.kind = 'standard' or c.central_id is not null))
      || array(select m.id from messages m where m.campaign_id = ${given.id}))
    union all
    select id, 'central', id, kind, null, reason, placed_at from central_holds(${given.id})
    union all
    select id, 'installation', 'installation', kind, null, reason, placed_at from installation_holds()
    order by "placedAt"`.compile(db),
);
