import { type ApiClient, createApiClient } from './demo/api-client.ts';
import { until } from './until.ts';

/** A system that runs, as far as an account is made in it. */
export interface AccountPlace {
  readonly apiUrl: string;
  readonly operatorKey: string;
}

/** What accounts that send differ in. */
export interface NewSendingAccount {
  readonly name?: string;
  readonly senderName?: string;
  /** A short code; what is left out is as the API has it by itself. */
  readonly sender: {
    readonly address: string;
    /** Null is unpaced. */
    readonly segmentsPerSecond?: number | null;
    readonly supportsMms?: boolean;
  };
}

/** An account that can send, steered over HTTP alone. */
export interface SendingAccount {
  readonly accountId: string;
  readonly personId: string;
  readonly senderId: string;
  readonly carrierAccountId: string;
  /** The account's key. */
  readonly key: string;
  /** With that key. */
  readonly api: ApiClient;
  /** The operator, who names no account. */
  readonly operator: ApiClient;
}

/** Makes an account without quiet hours, so that what is seen of it is the same at any time of day. */
export async function makeSendingAccount(
  { apiUrl, operatorKey }: AccountPlace,
  { name = 'Harbour Bakery', senderName = 'Harbour', sender }: NewSendingAccount,
): Promise<SendingAccount> {
  const operator = createApiClient(apiUrl, operatorKey);
  const { id: accountId } = await operator.post<{ id: string }>('/v1/accounts', {
    name,
    senderName,
    timeZone: 'America/New_York',
    defaultCountry: 'US',
    quietHours: { start: '00:00', end: '00:00' },
  });
  const acting = createApiClient(apiUrl, operatorKey, { 'carillon-account': accountId });
  const { key } = await acting.post<{ key: string }>('/v1/keys', {
    name: 'Sending',
    scopes: ['read', 'write', 'send'],
  });
  const api = createApiClient(apiUrl, key);
  const person = await api.post<{ id: string }>('/v1/people', { name: 'Alex', address: 'alex@example.com' });
  const made = await api.post<{ id: string; carrierAccountId: string }>('/v1/senders', {
    type: 'short_code',
    registration: 'approved',
    ...sender,
  });
  return {
    accountId,
    personId: person.id,
    senderId: made.id,
    carrierAccountId: made.carrierAccountId,
    api,
    key,
    operator,
  };
}

/** Takes the sandbox's limits of a number and of requests away, and sets whatever else is given. It may be repeated. */
export async function takeLimitsAway(
  sandbox: ApiClient,
  address: string,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await sandbox.put(`/sandbox/numbers/${address}`, { smsSegmentsPerSecond: null, mmsPerSecond: null });
  await sandbox.put('/sandbox/settings', { requestsPer5s: null, ...settings });
}

/** US numbers that libphonenumber calls valid and that the sandbox delivers to; at most 9,000 of an area. */
export function numbersOf(area: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `+1${area}555${String(index).padStart(4, '0')}`);
}

/** Makes a list of people with these numbers and resolves with its id. Throws an Error unless all were imported. */
export async function importList(
  api: ApiClient,
  name: string,
  numbers: readonly string[],
  patienceMs?: number,
  nameOf: (index: number) => string = (index) => `Name${index}`,
): Promise<string> {
  const list = await api.post<{ id: string }>('/v1/lists', { name });
  const started = await api.post<{ id: string }>('/v1/imports', { listIds: [list.id] });
  const rows = numbers.map((number, index) => `${nameOf(index)},${number}`);
  const content = Buffer.from(['First Name,Mobile', ...rows].join('\n'));
  await api.send('PUT', `/v1/imports/${started.id}/content`, content, 'text/csv');
  const done = await until(
    () => api.get<{ status: string; rows: { imported: number } }>(`/v1/imports/${started.id}`),
    ({ status }) => status === 'finished' || status === 'failed',
    patienceMs,
  );
  if (done.rows.imported !== numbers.length) throw new Error('Not every contact was imported.');
  return list.id;
}
