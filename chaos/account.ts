import { createApiClient, type ApiClient } from '../dev/demo/api-client.ts';
import { type AccountPlace, importList, makeSendingAccount, takeLimitsAway } from '../dev/sending-account.ts';
import { ACKNOWLEDGEMENT } from '../domain/launch-check.ts';
import { readLedger } from './carrier-ledger.ts';

/** A system that runs, as far as an account is set up in it. */
export interface ChaosPlace extends AccountPlace {
  /** Undefined when the carrier is another one, which cannot be steered. */
  readonly sandboxUrl: string | undefined;
}

/** An account that can send, steered over HTTP alone, beside the carrier's own ledger. */
export interface ChaosAccount {
  readonly accountId: string;
  readonly senderId: string;
  readonly api: ApiClient;
  /** The operator, who names no account. */
  readonly operator: ApiClient;
  /** Makes a list of these numbers and resolves with its id. */
  readonly list: (
    name: string,
    numbers: readonly string[],
    nameOf?: (index: number) => string,
  ) => Promise<string>;
  /** Drafts a campaign of one text, personal unless another is given, and launches it now. Resolves with it. */
  readonly launch: (
    name: string,
    listId: string,
    text?: string,
    budgetMicroUsd?: number | null,
  ) => Promise<ChaosCampaign>;
  readonly campaign: (id: string) => Promise<ChaosCampaign>;
  /** What the carrier has accepted from this instant (epoch milliseconds) on. */
  readonly ledgerSince: (from: number) => Promise<readonly { readonly dst: string; readonly time: number }[]>;
}

/** What is read of a campaign. */
export interface ChaosCampaign {
  readonly id: string;
  readonly status: string;
  readonly spent: { readonly amountMicro: number };
  readonly report: {
    readonly recipients: number;
    readonly accepted: number;
    readonly unknown: number;
    readonly rejected: readonly { readonly count: number }[];
    readonly skipped: readonly { readonly count: number }[];
    readonly expired: number;
    readonly deferred: number;
    readonly inFlight: number;
    readonly waiting: number;
  };
  readonly messages: readonly { readonly id: string }[];
}

/** The short code that texts come from unless another is given. */
export const ADDRESS = '24365';

/** Sets up an account without quiet hours and a sender of this pace, and takes the sandbox's own limits away. */
export async function setUpAccount(
  place: ChaosPlace,
  segmentsPerSecond: number,
  address = ADDRESS,
): Promise<ChaosAccount> {
  const { accountId, personId, senderId, api, operator } = await makeSendingAccount(place, {
    sender: { address, segmentsPerSecond },
  });
  if (place.sandboxUrl !== undefined) {
    const settings = { callbackDelayMs: { min: 5, max: 100 } };
    await takeLimitsAway(createApiClient(place.sandboxUrl, ''), address, settings);
  }
  return {
    accountId,
    senderId,
    api,
    operator,
    list: (name, numbers, nameOf) => importList(api, name, numbers, undefined, nameOf),
    launch: async (name, listId, text = 'Hi {{firstName}}', budgetMicroUsd = null) => {
      const draft = await api.post<ChaosCampaign>('/v1/campaigns', {
        name,
        senderId,
        ownerId: personId,
        listIds: [listId],
        purpose: 'marketing',
        budget: budgetMicroUsd === null ? null : { amountMicro: budgetMicroUsd, currency: 'USD' },
        acknowledgement: ACKNOWLEDGEMENT,
      });
      await api.post(`/v1/campaigns/${draft.id}/messages`, { text });
      await api.post(`/v1/campaigns/${draft.id}/launch`, { start: 'now' });
      return api.get<ChaosCampaign>(`/v1/campaigns/${draft.id}`);
    },
    campaign: (id) => api.get<ChaosCampaign>(`/v1/campaigns/${id}`),
    ledgerSince: async (from) => {
      const lines = await readLedger(`${place.sandboxUrl}/sandbox/ledger`);
      return lines.filter((line) => line.time >= from);
    },
  };
}
