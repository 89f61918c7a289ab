import { type LedgerLine, readLedger } from '../../chaos/carrier-ledger.ts';
import { createApiClient, type ApiClient } from '../../dev/demo/api-client.ts';
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

/** US numbers that libphonenumber calls valid and that the sandbox delivers to. */
export function numbers(count: number, area = '415'): string[] {
  return Array.from({ length: count }, (_, index) => `+1${area}555${String(index).padStart(4, '0')}`);
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
  const operator = createApiClient(urls.api, firstKeys.operatorKey);
  const account = await operator.post<{ id: string }>('/v1/accounts', {
    name: 'Harbour Bakery',
    senderName: 'Harbour',
    timeZone: 'America/New_York',
    defaultCountry: 'US',
    // Without quiet hours these tests mean the same at any time of day; other tests are about quiet hours.
    quietHours: { start: '00:00', end: '00:00' },
  });
  const acting = createApiClient(urls.api, firstKeys.operatorKey, { 'carillon-account': account.id });
  const { key } = await acting.post<{ key: string }>('/v1/keys', {
    name: 'Tests',
    scopes: ['read', 'write', 'send'],
  });
  const api = createApiClient(urls.api, key);
  const person = await api.post<{ id: string }>('/v1/people', { name: 'Alex', address: 'alex@example.com' });
  const sender = await api.post<{ id: string }>('/v1/senders', {
    address: SENDER,
    type: 'short_code',
    supportsMms: true,
    registration: 'approved',
  });
  const sandbox = createApiClient(urls.sandbox, '');
  await openSandbox(sandbox);
  const world = { api, personId: person.id, senderId: sender.id };
  return {
    ...world,
    system,
    operator,
    accountId: account.id,
    sandbox,
    list: (name, people) => makeList(api, name, people),
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
export async function openSandbox(sandbox: ApiClient): Promise<void> {
  const put = (path: string, body: unknown) =>
    sandbox.send('PUT', path, Buffer.from(JSON.stringify(body)), 'application/json');
  await put(`/sandbox/numbers/${SENDER}`, { smsSegmentsPerSecond: null, mmsPerSecond: null });
  await put('/sandbox/settings', {
    requestsPer5s: null,
    callbackDelayMs: { min: 5, max: 100 },
    retryDelaysMs: [500, 1_000, 2_000, 4_000, 8_000, 16_000],
  });
}

async function makeList(api: ApiClient, name: string, people: readonly string[]): Promise<string> {
  const list = await api.post<{ id: string }>('/v1/lists', { name });
  const started = await api.post<{ id: string }>('/v1/imports', { listIds: [list.id] });
  const rows = people.map((number, index) => `Name${index},${number}`);
  const content = Buffer.from(['First Name,Mobile', ...rows].join('\n'));
  await api.send('PUT', `/v1/imports/${started.id}/content`, content, 'text/csv');
  const done = await until(
    () => api.get<{ status: string; rows: { imported: number } }>(`/v1/imports/${started.id}`),
    (view) => view.status === 'finished' || view.status === 'failed',
  );
  if (done.rows.imported !== people.length) throw new Error('Not every contact was imported.');
  return list.id;
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
