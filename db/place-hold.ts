import type { Actor } from '../domain/actor.ts';
import { type CampaignStatus, isLive } from '../domain/campaign-status.ts';
import { HOLDS_OF_SCOPE_MAX, INSTALLATION } from '../domain/hold.ts';
import { readRole } from './campaigns.ts';
import { noteHeldSince } from './central/held-since.ts';
import type { Trx } from './database.ts';
import { moveGate } from './gates.ts';
import { showHold } from './show-hold.ts';
import { newId } from './ids.ts';
import { inFlight, type Scope } from './in-flight.ts';
import { type Hold, lockHold, lockStatus } from './placed-holds.ts';

/** A hold that somebody places. */
export interface NewHold extends Scope {
  readonly accountId: string;
  readonly reason: string;
  readonly actor: Actor;
  readonly byOperator: boolean;
  /** Campaign time. */
  readonly at: number;
  /** `disable` belongs to a disabled account, and ends when it is enabled; `hold` unless told. */
  readonly kind?: 'hold' | 'disable';
}

/**
 * Closes the scope's gate in this transaction: after it commits no lease is opened behind it. `inFlight` is how many
 * texts may still be on their way, `isRunning` whether a campaign's run has to hear of it. `gone` when the scope is none of this account's, `too_many` (roll back then) when
 * enough holds stand on it. A campaign's row is locked before its gates, as everywhere.
 */
export async function placeHold(
  trx: Trx,
  hold: NewHold,
): Promise<
  | {
      readonly kind: 'placed';
      readonly hold: Hold;
      readonly inFlight: number;
      readonly isRunning: boolean;
    }
  | { readonly kind: 'gone' }
  | { readonly kind: 'too_many' }
> {
  const place = await lockPlace(trx, hold);
  if (place === null) return { kind: 'gone' };
  if (hold.scope === 'campaign') await noteHeldSince(trx, hold.scopeId, hold.at);
  await moveGate(trx, hold.scopeId, 1);
  const { standing } = await trx
    .selectFrom('holds')
    .where('scope_id', '=', hold.scopeId)
    .where('lifted_at', 'is', null)
    .select((select) => select.fn.countAll<number>().as('standing'))
    .executeTakeFirstOrThrow();
  if (standing >= HOLDS_OF_SCOPE_MAX) return { kind: 'too_many' };
  const id = newId('hld');
  await trx
    .insertInto('holds')
    .values({
      id,
      account_id: hold.accountId,
      scope: hold.scope,
      scope_id: hold.scopeId,
      campaign_id: place.campaignId,
      kind: hold.kind ?? 'hold',
      reason: hold.reason,
      placed_by: hold.actor.id,
      by_operator: hold.byOperator,
    })
    .execute();
  await showHold(trx, 'hold', id, { ...hold, ...place });
  return {
    kind: 'placed',
    hold: await lockHold(trx, id),
    inFlight: await inFlight(trx, hold),
    isRunning: place.status !== null && isLive(place.status),
  };
}

interface Place {
  /** Whose gate, or whose message's, is closed; null for wider scopes. */
  readonly campaignId: string | null;
  readonly status: CampaignStatus | null;
}

const WIDE: Place = { campaignId: null, status: null };

/** Makes sure that the scope is there and this account's. */
async function lockPlace(trx: Trx, { accountId, scope, scopeId }: NewHold): Promise<Place | null> {
  switch (scope) {
    case 'installation':
      return scopeId === INSTALLATION ? WIDE : null;
    case 'account':
      return scopeId === accountId ? WIDE : null;
    case 'sender': {
      const sender = await trx
        .selectFrom('senders')
        .where('id', '=', scopeId)
        .select('id')
        .executeTakeFirst();
      return sender === undefined ? null : WIDE;
    }
    case 'campaign':
      return lockLiving(trx, scopeId);
    case 'message': {
      const message = await trx
        .selectFrom('messages')
        .where('id', '=', scopeId)
        .select('campaign_id as campaignId')
        .executeTakeFirst();
      // What a parent's message says is sent by its sub-accounts' own messages, whose gates these are not.
      if (message === undefined || (await readRole(trx, message.campaignId)) === 'central') return null;
      return lockLiving(trx, message.campaignId);
    }
  }
}

/** A campaign that is not deleted. */
async function lockLiving(trx: Trx, campaignId: string): Promise<Place | null> {
  const status = await lockStatus(trx, campaignId);
  if (status === null) return null;
  const living = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .where('deleted_at', 'is', null)
    .select('id')
    .executeTakeFirst();
  return living === undefined ? null : { campaignId, status };
}
