import { type ApiClient, createApiClient } from '../../dev/demo/api-client.ts';
import {
  type AccountPlace,
  importList,
  makeSendingAccount,
  type SendingAccount,
} from '../../dev/sending-account.ts';
import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import { eachAtOnce } from '../../engine/each-at-once.ts';
import { type PlannedContact, planContacts, sharedNumbers } from './plan-contacts.ts';
import { CENTRAL_TEXT, type Words } from './words.ts';

/** A sub-account that can send, and whom it texts. */
export interface SubAccount extends Words {
  readonly accountId: string;
  /** The number that it alone sends from. */
  readonly address: string;
  readonly listId: string;
  readonly contacts: readonly PlannedContact[];
  /** Contacts who have opted out of this account, and of no other. */
  readonly suppressed: readonly string[];
  /** A key of its own, which its parent does not have. */
  readonly key: string;
}

/** A parent with the sub-accounts of its preset. */
export interface Family {
  readonly parent: SendingAccount;
  readonly presetId: string;
  readonly subAccounts: readonly SubAccount[];
  /** One that is not in the preset. */
  readonly absent: SubAccount;
}

/** How large a family is, and how fast each of it sends. */
export interface FamilySize {
  readonly accounts: number;
  readonly contacts: number;
  readonly segmentsPerSecond: number;
}

const AT_ONCE = 6;
/** The parent has a number, too, from which nothing of a central campaign goes out. */
const PARENTS_CODE = '29999';
/** Short codes from here on, one for each sub-account. */
const FIRST_CODE = 30_000;
/** One of so many accounts has somebody who has opted out. */
const SUPPRESSED_EVERY = 5;
const PAIRS_OF_REQUEST_MAX = 1_000;
const NO_QUIET_HOURS = { start: '00:00', end: '00:00' };

/** Makes all of it over HTTP, as a parent does; only keys are made by the operator. */
export async function makeFamily(place: AccountPlace, size: FamilySize): Promise<Family> {
  const parent = await makeSendingAccount(place, {
    name: 'Harbour Bakeries',
    sender: { address: PARENTS_CODE, segmentsPerSecond: size.segmentsPerSecond },
  });
  await parent.operator.put(`/v1/accounts/${parent.accountId}/central-send`, { enabled: true });
  // One more than the preset has.
  const planned = planContacts(size.accounts + 1, size.contacts + Math.ceil(size.contacts / size.accounts));
  const shared = sharedNumbers(planned);
  const made: SubAccount[] = [];
  await eachAtOnce(planned.entries(), AT_ONCE, async ([index, contacts]) => {
    const isSuppressing = index % SUPPRESSED_EVERY === 0;
    const suppressed = isSuppressing ? contacts.filter(({ number }) => shared.has(number)).slice(0, 1) : [];
    made[index] = await makeSubAccount(place, parent, size.segmentsPerSecond, {
      index,
      contacts,
      suppressed: suppressed.map(({ number }) => number),
    });
  });
  const absent = made.pop();
  if (absent === undefined) throw new Error('No sub-account was made.');
  return { parent, presetId: await makePreset(parent.api, made), subAccounts: made, absent };
}

async function makeSubAccount(
  { apiUrl, operatorKey }: AccountPlace,
  parent: SendingAccount,
  segmentsPerSecond: number,
  { index, contacts, suppressed }: Pick<SubAccount, 'contacts' | 'suppressed'> & { readonly index: number },
): Promise<SubAccount> {
  const words: Words = {
    name: `Branch ${index}`,
    senderName: `Sender ${index}`,
    prefix: `B${index}: `,
    suffix: ` Bye from ${index}.`,
  };
  const { id: accountId } = await parent.api.post<{ id: string }>('/v1/sub-accounts', {
    ...words,
    timeZone: 'America/New_York',
    defaultCountry: 'US',
    quietHours: NO_QUIET_HOURS,
  });
  const managed = createApiClient(apiUrl, parent.key, { 'carillon-account': accountId });
  const address = String(FIRST_CODE + index);
  await managed.post('/v1/senders', {
    address,
    type: 'short_code',
    registration: 'approved',
    segmentsPerSecond,
  });
  const listId = await importList(
    managed,
    'Regulars',
    contacts.map(({ number }) => number),
    undefined,
    (place) => contacts[place]?.firstName ?? '',
  );
  for (const number of suppressed) await managed.post('/v1/suppressions', { number, kind: 'opt_out' });
  const operator = createApiClient(apiUrl, operatorKey, { 'carillon-account': accountId });
  const { key } = await operator.post<{ key: string }>('/v1/keys', {
    name: 'Chaos',
    scopes: ['read', 'write', 'send'],
  });
  return { accountId, address, listId, contacts, suppressed, key, ...words };
}

async function makePreset(api: ApiClient, subAccounts: readonly SubAccount[]): Promise<string> {
  const { id } = await api.post<{ id: string }>('/v1/presets', { name: 'All branches' });
  for (let from = 0; from < subAccounts.length; from += PAIRS_OF_REQUEST_MAX) {
    const pairs = subAccounts
      .slice(from, from + PAIRS_OF_REQUEST_MAX)
      .map(({ accountId, listId }) => ({ accountId, listId }));
    await api.post(`/v1/presets/${id}/pairs`, { pairs });
  }
  return id;
}

/** Drafts a central campaign to all of the family, has it reviewed and launches it with the review's token. Resolves with its id. */
export async function launchToFamily(
  { parent: { api, personId }, presetId }: Family,
  padding: string,
): Promise<string> {
  const { id } = await api.post<{ id: string }>('/v1/campaigns', {
    kind: 'central',
    name: 'Chaos everywhere',
    presetId,
    ownerId: personId,
    purpose: 'marketing',
    acknowledgement: ACKNOWLEDGEMENT,
  });
  await api.post(`/v1/campaigns/${id}/messages`, { text: `${CENTRAL_TEXT}${padding}` });
  const review = await api.post<{ token: string | null; refusals: unknown }>(`/v1/campaigns/${id}/review`, {
    start: 'now',
  });
  if (review.token === null) throw new Error(`The review refuses it: ${JSON.stringify(review.refusals)}.`);
  await api.post(`/v1/campaigns/${id}/launch`, { start: 'now', reviewToken: review.token });
  return id;
}
