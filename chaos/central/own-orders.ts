import { createApiClient } from '../../dev/demo/api-client.ts';
import { waitThroughChaos } from '../wait-through-chaos.ts';
import type { Family, SubAccount } from './family.ts';
import { type PartRow, readParts } from './standing.ts';

/** Something that was ordered and kept parts from going on. Instants in epoch milliseconds. */
export interface Stop {
  readonly what: 'pause' | 'abort' | "parent's pause";
  /** The part that its account has stopped; null where the parent has stopped all. */
  readonly part: { readonly campaignId: string; readonly account: SubAccount } | null;
  /** The most that still goes out by the answer; null where a parent is not told. */
  readonly inFlight: number | null;
  readonly answeredAt: number;
  /** When its end was ordered; null for what has none. */
  readonly liftedAt: number | null;
}

/** What accounts and their parent order while processes are harmed. */
export interface OwnOrders {
  /** The next order, and the end of an earlier one. Resolves with what was ordered; null when there is nobody to order. */
  readonly orderNext: () => Promise<string | null>;
  /** Ends every pause that stands. */
  readonly settle: () => Promise<void>;
  /** Ends the pause of one account by its own key, whatever has paused it. */
  readonly resume: (part: PartRow) => Promise<void>;
  readonly stops: () => readonly Stop[];
  /** Whether the parent's pause stands, so that nobody is texted. */
  readonly areAllPaused: () => boolean;
  /** The accounts that have aborted their parts. */
  readonly aborted: () => ReadonlySet<string>;
}

/** Where the orders go. */
export interface OrdersPlace {
  readonly apiUrl: string;
  readonly databaseUrl: string;
  readonly family: Family;
  readonly centralId: string;
  readonly random: () => number;
}

interface Answer {
  readonly inFlight: number | null;
}

const ORDERS = ['pause', 'abort', 'pause', "parent's pause"] as const;
/** Longer than any part of the system takes to come back. */
const PATIENCE_MS = 5 * 60_000;

/** Orders by turns, each once however often it has to be asked: an account pauses or aborts its part, the parent pauses all. */
export function createOwnOrders({ apiUrl, databaseUrl, family, centralId, random }: OrdersPlace): OwnOrders {
  const byId = new Map(family.subAccounts.map((account) => [account.accountId, account]));
  const ended: Stop[] = [];
  let standing: (Stop & { readonly lift: () => Promise<void> })[] = [];
  const touched = new Set<string>();
  let orders = 0;

  /** Null when the status does not allow it any more. */
  const order = (key: string, campaignId: string, action: string): Promise<Answer | null> => {
    orders += 1;
    // A repeat whose first request was carried out, unheard, is answered as that one was.
    const api = createApiClient(apiUrl, key, { 'idempotency-key': `chaos-${orders}` });
    return waitThroughChaos(
      () =>
        api.post<Answer>(`/v1/campaigns/${campaignId}/${action}`, {}).catch((error: unknown) => {
          if (String(error).includes('action-not-allowed')) return null;
          throw error;
        }),
      () => true,
      PATIENCE_MS,
    );
  };
  const someOpenPart = async (): Promise<PartRow | null> => {
    const parts = await waitThroughChaos(
      () => readParts(databaseUrl, centralId),
      () => true,
    );
    const open = parts.filter(({ state, accountId }) => state === 'handed_over' && !touched.has(accountId));
    return open[Math.floor(random() * open.length)] ?? null;
  };
  const stopOne = async (action: 'pause' | 'abort'): Promise<string | null> => {
    const part = await someOpenPart();
    const account = byId.get(part?.accountId ?? '');
    if (part === null || account === undefined) return null;
    touched.add(part.accountId);
    const answer = await order(account.key, part.campaignId, action);
    if (answer === null) return null;
    const stop: Stop = {
      what: action,
      part: { campaignId: part.campaignId, account },
      inFlight: answer.inFlight,
      answeredAt: Date.now(),
      liftedAt: null,
    };
    if (action === 'abort') ended.push(stop);
    else {
      const lift = async (): Promise<void> => {
        await order(account.key, part.campaignId, 'resume');
      };
      standing.push({ ...stop, lift });
    }
    return action === 'abort' ? 'an account aborted its part' : 'an account paused its part';
  };
  const pauseAll = async (): Promise<string | null> => {
    const answer = await order(family.parent.key, centralId, 'pause');
    if (answer === null) return null;
    standing.push({
      what: "parent's pause",
      part: null,
      inFlight: answer.inFlight,
      answeredAt: Date.now(),
      liftedAt: null,
      lift: async () => {
        await order(family.parent.key, centralId, 'resume');
      },
    });
    return 'the parent paused all';
  };
  const liftAll = async (): Promise<void> => {
    const lifted = standing;
    standing = [];
    for (const { lift, ...stop } of lifted) {
      ended.push({ ...stop, liftedAt: Date.now() });
      await lift();
    }
  };

  let turn = 0;
  return {
    orderNext: async () => {
      await liftAll();
      const next = ORDERS[turn % ORDERS.length] ?? 'pause';
      turn += 1;
      return next === "parent's pause" ? pauseAll() : stopOne(next);
    },
    settle: liftAll,
    resume: async ({ accountId, campaignId }) => {
      const account = byId.get(accountId);
      if (account !== undefined) await order(account.key, campaignId, 'resume');
    },
    stops: () => ended,
    areAllPaused: () => standing.some(({ part }) => part === null),
    aborted: () =>
      new Set(
        ended.flatMap(({ what, part }) =>
          what === 'abort' && part !== null ? [part.account.accountId] : [],
        ),
      ),
  };
}
