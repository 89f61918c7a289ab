import { sql } from 'kysely';
import type { Actor } from '../domain/actor.ts';
import type { CampaignActionName } from '../domain/campaign-actions.ts';
import type { CampaignStatus } from '../domain/campaign-status.ts';
import type { Campaign } from './campaigns.ts';
import type { ReachedAccounts } from './central/reached-accounts.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';
import { appendLog } from './log.ts';

/** An action that somebody orders; the row it becomes is the order. */
export interface Order {
  readonly campaign: Campaign;
  readonly name: CampaignActionName;
  readonly args: Record<string, unknown>;
  readonly actor: Actor;
  /** Campaign time in epoch milliseconds. */
  readonly at: number;
  /** Details that a launch still needs; empty for everything else. */
  readonly missing?: readonly string[];
  /** Why something is stopped, as a code; null where somebody of the account wants it so. */
  readonly cause?: string;
  /** A part's parent orders it: who may do anything with it that an account may with its own campaign. */
  readonly byParent?: {
    /** The same order of the same part is given once. */
    readonly key: string;
  };
}

/** `requested` waits for the campaign's workflow, `applied` took effect in this transaction. */
export type OrderResult =
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'ordered';
      readonly actionId: string;
      readonly state: 'requested' | 'applied';
      /**
       * Recipients whose texts may still be on their way, for what stops something. Null for a central campaign: those
       * are recipients of its sub-accounts.
       */
      readonly inFlight: number | null;
      /** Null for what is no central campaign. */
      readonly accounts: ReachedAccounts | null;
    };

/** New schedules of a restart, by message. */
export type NewSchedules = ReadonlyMap<string, { readonly local: string; readonly zone: string }>;

/** The result of an order that stands. */
export function ordered(actionId: string, state: 'requested' | 'applied', inFlight = 0): OrderResult {
  return { kind: 'ordered', actionId, state, inFlight, accounts: null };
}

/** Writes an order down. */
export async function insertAction(trx: Trx, order: Order, state: 'requested' | 'applied'): Promise<string> {
  const id = newId('act');
  await trx
    .insertInto('actions')
    .values({
      id,
      account_id: order.campaign.accountId,
      campaign_id: order.campaign.id,
      name: order.name,
      args: JSON.stringify(order.args),
      state,
      via: order.actor.via,
      requested_by: order.actor.id,
      key_id: order.actor.keyId ?? null,
      signal_key: order.byParent?.key ?? null,
      ...(state === 'applied' ? { answered_at: sql<Date>`clock_timestamp()`, result: '{}' } : {}),
    })
    .execute();
  return id;
}

/** A line about an order that took effect at once. */
export async function logOrder(trx: Trx, order: Order, actionId: string, to: CampaignStatus): Promise<void> {
  await appendLog(trx, {
    accountId: order.campaign.accountId,
    campaignId: order.campaign.id,
    what: order.name,
    from: order.campaign.status,
    to,
    actionId,
    actor: order.actor,
  });
}

/** What only the workflow carries out: the order has a line now, what becomes of it has another. */
export async function waitForWorkflow(trx: Trx, order: Order): Promise<OrderResult> {
  const actionId = await insertAction(trx, order, 'requested');
  await appendLog(trx, {
    accountId: order.campaign.accountId,
    campaignId: order.campaign.id,
    what: `${order.name}.ordered`,
    actionId,
    actor: order.actor,
    detail: { status: order.campaign.status },
  });
  return ordered(actionId, 'requested');
}
