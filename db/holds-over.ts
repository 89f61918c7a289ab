import { sql } from 'kysely';
import type { HoldScope } from '../domain/hold.ts';
import type { Trx } from './database.ts';
import { SCOPE } from './placed-holds.ts';

/** A hold that keeps a campaign or a part of it. */
export interface HoldOver {
  readonly id: string;
  readonly scope: HoldScope;
  readonly scopeId: string;
  readonly kind: string;
  readonly cause: string | null;
  readonly reason: string;
  readonly placedAt: Date;
}

/** Every hold that stands over a campaign or one of its messages, the widest scopes too, in the order they came. */
export async function holdsOver(
  trx: Trx,
  campaign: { readonly id: string; readonly accountId: string; readonly senderId: string | null },
  messageIds: readonly string[],
): Promise<HoldOver[]> {
  const scopes = [campaign.accountId, campaign.senderId ?? campaign.id, campaign.id, ...messageIds];
  const own = await trx
    .selectFrom('holds')
    .where('scope_id', 'in', scopes)
    .where('lifted_at', 'is', null)
    .select(['id', 'scope_id as scopeId', 'kind', 'cause', 'reason', 'placed_at as placedAt'])
    .select(SCOPE)
    .execute();
  const all = await sql<HoldOver>`
    select id, 'installation' as scope, 'installation' as "scopeId", kind, null as cause, reason,
      placed_at as "placedAt" from installation_holds()`.execute(trx);
  return [...own, ...all.rows].toSorted((one, other) => one.placedAt.getTime() - other.placedAt.getTime());
}
