import { createApiClient, type ApiClient } from '../dev/demo/api-client.ts';
import { until } from '../dev/until.ts';
import { ACKNOWLEDGEMENT } from '../domain/launch-check.ts';
import { readLedger } from './carrier-ledger.ts';

/** A system that runs, as far as an account is set up in it. */
export interface ChaosPlace {
  readonly apiUrl: string;
  /** Undefined when the carrier is another one, which cannot be steered. */
  readonly sandboxUrl: string | undefined;
  readonly operatorKey: string;
}

/** An account that can send, steered over HTTP alone, beside the carrier's own ledger. */
export interface ChaosAccount {
  readonly accountId: string;
  readonly senderId: string;
  readonly api: ApiClient;
  /** The operator, who names no account. */
  readonly operator: ApiClient;
  /** Makes a list of these numbers and resolves with its id. */
  readonly list: (name: string, numbers: readonly string[]) => Promise<string>;
  /** Drafts a campaign of one text, personal unless another is given, and launches it now. Resolves with it. */
  readonly launch: (name: string, listId: string, text?: string) => Promise<ChaosCampaign>;
  readonly campaign: (id: string) => Promise<ChaosCampaign>;
  /** What the carrier has accepted from this instant (epoch milliseconds) on. */
  readonly ledgerSince: (from: number) => Promise<readonly { readonly dst: string; readonly time: number }[]>;
}

/** What is read of a campaign. */
export interface ChaosCampaign {
  readonly id: string;
  readonly status: string;
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

/** US numbers that the sandbox delivers to; at most 10,000 of an area. */
export function numbersOf(area: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `+1${area}555${String(index).padStart(4, '0')}`);
}

/** Sets up an account without quiet hours and a sender of this pace, and takes the sandbox's own limits away. */
export async function setUpAccount(
  place: ChaosPlace,
  segmentsPerSecond: number,
  address = ADDRESS,
): Promise<ChaosAccount> {
  const operator = createApiClient(place.apiUrl, place.operatorKey);
  const { id: accountId } = await operator.post<{ id: string }>('/v1/accounts', {
    name: 'Harbour Bakery',
    senderName: 'Harbour',
    timeZone: 'America/New_York',
    defaultCountry: 'US',
    quietHours: { start: '00:00', end: '00:00' },
  });
  const acting = createApiClient(place.apiUrl, place.operatorKey, { 'carillon-account': accountId });
  const scopes = ['read', 'write', 'send'];
  const { key } = await acting.post<{ key: string }>('/v1/keys', { name: 'Chaos', scopes });
  const api = createApiClient(place.apiUrl, key);
  const person = await api.post<{ id: string }>('/v1/people', { name: 'Alex', address: 'alex@example.com' });
  const sender = await api.post<{ id: string }>('/v1/senders', {
    address,
    type: 'short_code',
    registration: 'approved',
    segmentsPerSecond,
  });
  if (place.sandboxUrl !== undefined) await takeLimitsAway(place.sandboxUrl, address);
  return {
    accountId,
    senderId: sender.id,
    api,
    operator,
    list: (name, numbers) => makeList(api, name, numbers),
    launch: async (name, listId, text = 'Hi {{firstName}}') => {
      const draft = await api.post<ChaosCampaign>('/v1/campaigns', {
        name,
        senderId: sender.id,
        ownerId: person.id,
        listIds: [listId],
        purpose: 'marketing',
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

async function takeLimitsAway(sandboxUrl: string, address: string): Promise<void> {
  const sandbox = createApiClient(sandboxUrl, '');
  const put = (path: string, body: unknown) =>
    sandbox.send('PUT', path, Buffer.from(JSON.stringify(body)), 'application/json');
  await put(`/sandbox/numbers/${address}`, { smsSegmentsPerSecond: null, mmsPerSecond: null });
  await put('/sandbox/settings', { requestsPer5s: null, callbackDelayMs: { min: 5, max: 100 } });
}

async function makeList(api: ApiClient, name: string, numbers: readonly string[]): Promise<string> {
  const list = await api.post<{ id: string }>('/v1/lists', { name });
  const started = await api.post<{ id: string }>('/v1/imports', { listIds: [list.id] });
  const rows = numbers.map((number, index) => `Name${index},${number}`);
  const content = Buffer.from(['First Name,Mobile', ...rows].join('\n'));
  await api.send('PUT', `/v1/imports/${started.id}/content`, content, 'text/csv');
  await until(
    () => api.get<{ status: string }>(`/v1/imports/${started.id}`),
    (view) => view.status === 'finished',
  );
  return list.id;
}
