import { type LedgerLine, readLedger } from '../../chaos/carrier-ledger.ts';
import { createApiClient, type ApiClient } from '../../dev/demo/api-client.ts';
import { importList, makeSendingAccount, numbersOf, takeLimitsAway } from '../../dev/sending-account.ts';
import { until } from '../../dev/until.ts';
import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import { startTestSystem, type TestSystem, type TestSystemOptions } from './test-system.ts';

/** What tests read of a campaign. */
export interface CampaignBody {
  readonly id: string;
  readonly name: string | null;
  readonly displayName: string;
  readonly status: string;
  readonly statusReasons: readonly { readonly code: string }[];
  readonly settled: boolean;
  readonly missing: readonly { readonly pointer: string }[];
  readonly actions: readonly { readonly name: string; readonly allowed: boolean }[];
  readonly next: { readonly what: string; readonly at: string | null };
  readonly report: ReportBody;
  readonly rounds: readonly { readonly number: number; readonly kind: string }[];
  readonly messages: readonly {
    readonly id: string;
    readonly position: number;
    readonly status: string;
    readonly schedule: { readonly local: string; readonly zone: string } | null;
    readonly report: ReportBody;
  }[];
}

interface ReportBody {
  readonly recipients: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly unknown: number;
  readonly unknownAs: { readonly unresolved: number; readonly absent: number; readonly final: number };
  readonly expired: number;
  readonly deferred: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly rejected: readonly { readonly reason: string; readonly count: number }[];
  readonly skipped: readonly { readonly reason: string; readonly count: number }[];
  readonly failed: readonly { readonly reason: string; readonly count: number }[];
}

/** A whole system with one account that can send, steered over HTTP alone. */
export interface SystemWorld {
  readonly system: TestSystem;
  /** The account's key. */
  readonly api: ApiClient;
  readonly operator: ApiClient;
  readonly accountId: string;
  readonly personId: string;
  readonly senderId: string;
  readonly sandbox: ApiClient;
  /** Makes a list of so many contacts and resolves with its id. */
  readonly list: (name: string, numbers: readonly string[]) => Promise<string>;
  /** A draft with everything that a launch needs. */
  readonly draft: (name: string, listId: string, texts: readonly string[]) => Promise<CampaignBody>;
  readonly campaign: (id: string) => Promise<CampaignBody>;
  /** Waits until the campaign's status is one of these. */
  readonly reaches: (id: string, ...statuses: readonly string[]) => Promise<CampaignBody>;
  /** What the carrier has accepted, as its own ledger tells. */
  readonly ledger: () => Promise<LedgerLine[]>;
  readonly stop: () => Promise<void>;
}

const SENDER = '24365';

/** So many numbers of an area. */
export function numbers(count: number, area = '415'): string[] {
  return numbersOf(area, count);
}

/** Starts a system and sets an account up in a zone without quiet hours just now. */
export async function startSystemWorld(options: TestSystemOptions = {}): Promise<SystemWorld> {
  const system = await startTestSystem(options);
  try {
    return await setUp(system);
  } catch (error) {
    await system.stop();
    throw error;
  }
}

async function setUp(system: TestSystem): Promise<SystemWorld> {
  const { urls, firstKeys } = system.current();
  if (firstKeys === null || urls.sandbox === undefined) throw new Error('The system is not a fresh one.');
  const place = { apiUrl: urls.api, operatorKey: firstKeys.operatorKey };
  const account = await makeSendingAccount(place, { sender: { address: SENDER, supportsMms: true } });
  const { api, operator, accountId, personId, senderId } = account;
  const sandbox = createApiClient(urls.sandbox, '');
  await openSandbox(sandbox);
  const world = { api, personId, senderId };
  return {
    ...world,
    system,
    operator,
    accountId,
    sandbox,
    list: (name, people) => importList(api, name, people),
    draft: (name, listId, texts) => makeDraft(world, name, listId, texts),
    campaign: (id) => api.get<CampaignBody>(`/v1/campaigns/${id}`),
    reaches: (id, ...statuses) =>
      until(
        () => api.get<CampaignBody>(`/v1/campaigns/${id}`),
        (campaign) => statuses.includes(campaign.status),
      ),
    ledger: () => readLedger(`${urls.sandbox}/sandbox/ledger`),
    stop: () => system.stop(),
  };
}

/** Takes the sandbox's limits away and makes its callbacks fast; a sandbox that was started again needs it anew. */
export function openSandbox(sandbox: ApiClient): Promise<void> {
  return takeLimitsAway(sandbox, SENDER, {
    callbackDelayMs: { min: 5, max: 100 },
    retryDelaysMs: [500, 1_000, 2_000, 4_000, 8_000, 16_000],
  });
}

async function makeDraft(
  world: { readonly api: ApiClient; readonly personId: string; readonly senderId: string },
  name: string,
  listId: string,
  texts: readonly string[],
): Promise<CampaignBody> {
  let campaign = await world.api.post<CampaignBody>('/v1/campaigns', {
    name,
    senderId: world.senderId,
    ownerId: world.personId,
    listIds: [listId],
    purpose: 'marketing',
    acknowledgement: ACKNOWLEDGEMENT,
  });
  for (const text of texts) {
    campaign = await world.api.post<CampaignBody>(`/v1/campaigns/${campaign.id}/messages`, { text });
  }
  return campaign;
}
