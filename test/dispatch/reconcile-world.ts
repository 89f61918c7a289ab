import { sql } from 'kysely';
import type { ListRequest, ListResult } from '../../carrier/carrier.ts';
import type { Db } from '../../db/database.ts';
import { createPostgresUnknownStore } from '../../db/reconcile/postgres-unknowns.ts';
import { ASKING_TIMES } from '../../domain/carrier-list.ts';
import { type AskListDeps, askList } from '../../domain/dispatch/ask-list.ts';
import type { FrozenCampaign } from './ledger-world.ts';

/** A carrier's list that a test fills: uuids by number. */
export interface ScriptedList {
  readonly records: Map<string, string[]>;
  readonly asked: ListRequest[];
  /** Set to answer otherwise. */
  fails: ListResult | null;
  /** Records on a page. */
  pageSize: number;
}

/** Asks a scripted list about the unknown attempts of a campaign's carrier account, one after the other. */
export function scriptList(db: Db): {
  readonly list: ScriptedList;
  readonly ask: (campaign: FrozenCampaign, afterMs: number) => Promise<string | null>;
} {
  const list: ScriptedList = { records: new Map(), asked: [], fails: null, pageSize: 20 };
  const deps: AskListDeps = {
    store: createPostgresUnknownStore(db),
    times: ASKING_TIMES,
    machine: { now: () => performance.now(), sleep: () => Promise.resolve() },
    list: (_carrierAccountId, request): Promise<ListResult> => {
      list.asked.push(request);
      if (list.fails !== null) return Promise.resolve(list.fails);
      const uuids = list.records.get(request.to) ?? [];
      const page = uuids.slice(request.offset, request.offset + list.pageSize);
      return Promise.resolve({
        kind: 'listed',
        texts: page.map((uuid) => ({ uuid, at: request.since })),
        isLast: page.length < list.pageSize,
      });
    },
  };
  return {
    list,
    ask: async (campaign, afterMs) => {
      const { carrierAccountId } = campaign.account;
      const now = Date.now() + afterMs;
      const unknown = await deps.store.takeUnknown(carrierAccountId, now, now + 600_000);
      if (unknown === null) return null;
      const { signal } = new AbortController();
      return (await askList(deps, carrierAccountId, unknown, () => now, signal)).verdict;
    },
  };
}

/** What stands in the evidence of a campaign's unknown attempts, in the order of recipients. */
export function readEvidence(campaign: FrozenCampaign) {
  return campaign.inside(async (trx) => {
    const rows = await sql<{
      recipient: number;
      state: string;
      verdict: string | null;
      listed: number | null;
      explained: number | null;
      isComplete: boolean | null;
      asks: number;
    }>`select u.recipient, u.state, u.verdict, u.listed, u.explained, u.is_complete as "isComplete", u.asks
      from unknowns u join messages m on m.key = u.message_key where m.campaign_id = ${campaign.campaignId}
      order by u.recipient`.execute(trx);
    return rows.rows;
  });
}
