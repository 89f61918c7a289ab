import { type ApiClient, createApiClient } from './api-client.ts';
import { shareContacts } from './share-contacts.ts';
import { importContacts, type Stage } from './story.ts';

/** The account that writes once for all. */
export interface Parent {
  readonly accountId: string;
  readonly name: string;
  readonly key: string;
  readonly client: ApiClient;
  readonly personId: string;
}

/** A sub-account that is ready to send, or as ready as the demo wants it. */
export interface Branch {
  readonly accountId: string;
  readonly name: string;
  readonly zone: string;
  readonly address: string;
  readonly senderId: string;
  /** Contacts on its lists, each counted once. */
  readonly contacts: number;
  readonly listIds: readonly string[];
  readonly optedOut: number;
  readonly hasLapsed: boolean;
  /** The parent's key, acting for it. */
  readonly asParent: ApiClient;
  /** A key of its own, which an operator has made: the parent never has one. */
  readonly ownKey: string;
}

interface Kind {
  readonly segmentsPerSecond: number;
  readonly lists: readonly string[];
  readonly optedOut: number;
  readonly hasLapsed: boolean;
}

const USUAL: Kind = { segmentsPerSecond: 40, lists: ['Regulars'], optedOut: 0, hasLapsed: false };
const KINDS: readonly Kind[] = [
  USUAL,
  { ...USUAL, optedOut: 15 },
  { ...USUAL, hasLapsed: true },
  // The same people on two lists, who are texted once all the same.
  { ...USUAL, lists: ['Regulars', 'Newsletter'] },
  { ...USUAL, segmentsPerSecond: 20 },
];
const FIRST_SHORT_CODE = 24_365;

/** How many sub-accounts the demo has, each in a zone of its own. */
export const BRANCHES = KINDS.length;

/** An account that an operator lets send for its sub-accounts. */
export async function makeParent({ apiUrl, operatorKey }: Stage, zone: string): Promise<Parent> {
  const operator = createApiClient(apiUrl, operatorKey);
  const name = 'Harbour Bakeries';
  const { id: accountId } = await operator.post<{ id: string }>('/v1/accounts', {
    name,
    senderName: 'Harbour',
    timeZone: zone,
    defaultCountry: 'US',
  });
  await operator.put(`/v1/accounts/${accountId}/central-send`, { enabled: true });
  const key = await makeKey({ apiUrl, operatorKey }, accountId, ['read', 'write', 'send']);
  const client = createApiClient(apiUrl, key);
  const { id: personId } = await client.post<{ id: string }>('/v1/people', {
    name: 'Alex Rivera',
    address: 'alex@example.com',
  });
  return { accountId, name, key, client, personId };
}

/** A sub-account in each zone, with a share of the contacts. The parent sets all of it up; only the key is made by the operator. */
export async function makeBranches(
  stage: Stage,
  parent: Parent,
  zones: readonly string[],
): Promise<Branch[]> {
  const shares = shareContacts(stage.contacts, KINDS.length);
  return Promise.all(
    KINDS.map((kind, index) =>
      makeBranch(stage, parent, kind, {
        zone: zones[index] ?? 'UTC',
        address: String(FIRST_SHORT_CODE + index),
        contacts: shares[index] ?? Buffer.alloc(0),
      }),
    ),
  );
}

async function makeBranch(
  stage: Stage,
  parent: Parent,
  kind: Kind,
  { zone, address, contacts }: { readonly zone: string; readonly address: string; readonly contacts: Buffer },
): Promise<Branch> {
  const name = `Harbour ${zone.slice(zone.indexOf('/') + 1).replaceAll('_', ' ')}`;
  const { id: accountId } = await parent.client.post<{ id: string }>('/v1/sub-accounts', {
    name,
    senderName: name,
    timeZone: zone,
    defaultCountry: 'US',
  });
  const asParent = createApiClient(stage.apiUrl, parent.key, { 'carillon-account': accountId });
  const { segmentsPerSecond, hasLapsed } = kind;
  const sender = await asParent.post<{ id: string }>('/v1/senders', {
    address,
    type: 'short_code',
    registration: hasLapsed ? 'lapsed' : 'approved',
    segmentsPerSecond,
  });
  await createApiClient(stage.sandboxUrl, '').put(`/sandbox/numbers/${address}`, {
    smsSegmentsPerSecond: segmentsPerSecond,
  });
  const listIds = await Promise.all(
    kind.lists.map(async (list) => (await asParent.post<{ id: string }>('/v1/lists', { name: list })).id),
  );
  const { rows } = await importContacts(asParent, listIds, contacts);
  return {
    accountId,
    name,
    zone,
    address,
    senderId: sender.id,
    contacts: rows.imported,
    listIds,
    optedOut: await optOut(asParent, kind.optedOut),
    hasLapsed,
    asParent,
    ownKey: await makeKey(stage, accountId, ['read']),
  };
}

/** Notes of so many of an account's contacts that they want no texts. Resolves with how many there were. */
async function optOut(asParent: ApiClient, howMany: number): Promise<number> {
  if (howMany === 0) return 0;
  const { items } = await asParent.get<{ items: readonly { readonly number: string }[] }>(
    `/v1/contacts?pageSize=${howMany}`,
  );
  for (const { number } of items) await asParent.post('/v1/suppressions', { number, kind: 'opt_out' });
  return items.length;
}

async function makeKey(
  { apiUrl, operatorKey }: Pick<Stage, 'apiUrl' | 'operatorKey'>,
  accountId: string,
  scopes: readonly string[],
): Promise<string> {
  const acting = createApiClient(apiUrl, operatorKey, { 'carillon-account': accountId });
  const { key } = await acting.post<{ key: string }>('/v1/keys', { name: 'Demo', scopes });
  return key;
}
