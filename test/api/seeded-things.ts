import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import type { Caller, Tenant } from './api-world.ts';

/** One of everything that an account can have, by the kind of its id. */
export interface Things {
  /** A central draft, and a review of it. */
  readonly central: string;
  readonly centralReview: string;
  readonly account: string;
  readonly campaign: string;
  readonly message: string;
  /** Launched, with an action ordered on it. */
  readonly launched: string;
  readonly launchedMessage: string;
  readonly action: string;
  readonly contact: string;
  readonly list: string;
  readonly import: string;
  readonly media: string;
  readonly key: string;
  readonly person: string;
  readonly sender: string;
  readonly quota: string;
  /** Without pairs. */
  readonly preset: string;
  readonly testNumber: string;
  /** On the sender. */
  readonly hold: string;
  /** That a campaign was suspended. */
  readonly alert: string;
  readonly suppression: string;
  /** Of the launched campaign, whose audience is frozen. */
  readonly recipient: string;
}

/** The smallest PNG: one transparent pixel. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=',
  'base64',
);

/** Creates something and returns its id; throws when the API refuses. */
export async function create(call: Caller, path: string, body: unknown): Promise<string> {
  const reply = await call('POST', path, { body });
  if (reply.status >= 300) throw new Error(`${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return String(reply.body['id']);
}

/** A complete draft with one message; the ids of both. */
export async function createDraft(
  tenant: Tenant,
  name: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly campaign: string; readonly message: string }> {
  const campaign = await create(tenant.call, '/v1/campaigns', {
    name,
    senderId: tenant.senderId,
    listIds: [tenant.listId],
    ownerId: tenant.personId,
    purpose: 'marketing',
    acknowledgement: ACKNOWLEDGEMENT,
    ...more,
  });
  const added = await tenant.call('POST', `/v1/campaigns/${campaign}/messages`, {
    body: {
      text: 'Hi {{firstName|there}}, reply STOP to opt out.',
      schedule: { local: '2027-01-12T15:00', zone: 'America/New_York' },
    },
  });
  const [message] = added.body['messages'] as readonly { readonly id: string }[];
  if (message === undefined) throw new Error('The message was not added.');
  return { campaign, message: message.id };
}

/** A new sub-account of the tenant's and a list of it, as a pair of a preset. */
export async function createPair(
  tenant: Tenant,
  name = 'Harbour Bakery, Reno',
): Promise<{ readonly accountId: string; readonly listId: string }> {
  const settings = { name, timeZone: 'America/Los_Angeles', senderName: 'Harbour', defaultCountry: 'US' };
  const accountId = await create(tenant.call, '/v1/sub-accounts', settings);
  return { accountId, listId: await createListOf(tenant, accountId, 'Regulars') };
}

/** A list of a sub-account of the tenant's. */
export async function createListOf(tenant: Tenant, accountId: string, name: string): Promise<string> {
  const headers = { 'carillon-account': accountId };
  const reply = await tenant.call('POST', '/v1/lists', { body: { name }, headers });
  if (reply.status !== 201) throw new Error(`The list was not made: ${reply.status}.`);
  return String(reply.body['id']);
}

/** Suspends a campaign, which needs somebody. */
async function createAlert(tenant: Tenant): Promise<string> {
  const { campaign } = await createDraft(tenant, 'Suspended');
  await create(tenant.call, `/v1/campaigns/${campaign}/launch`, { start: 'later' });
  await create(tenant.call, `/v1/campaigns/${campaign}/suspend`, { reason: 'It has to be checked.' });
  const { body } = await tenant.call('GET', `/v1/alerts?campaignId=${campaign}`);
  const [alert] = body['items'] as readonly { readonly id: string }[];
  if (alert === undefined) throw new Error('The suspension raised no alert.');
  return alert.id;
}

/** Makes one of everything for an account, over HTTP. */
export async function createThings(tenant: Tenant): Promise<Things> {
  const { call } = tenant;
  const contact = await create(call, '/v1/contacts', { number: '+12125552001', firstName: 'Sam' });
  await call('POST', `/v1/lists/${tenant.listId}/members`, { body: { contactIds: [contact] } });
  const draft = await createDraft(tenant, 'Spring sale');
  const { campaign: launched, message: launchedMessage } = await createDraft(tenant, 'Launched');
  const action = await create(call, `/v1/campaigns/${launched}/launch`, { start: 'scheduled' });
  await tenant.freeze(launched);
  const media = await call('POST', '/v1/media', { body: PIXEL, headers: { 'content-type': 'image/png' } });
  return {
    account: tenant.accountId,
    ...(await tenant.seedCentral('Central sale')),
    ...draft,
    launched,
    launchedMessage,
    action,
    contact,
    list: tenant.listId,
    import: await create(call, '/v1/imports', { listIds: [tenant.listId] }),
    media: String(media.body['id']),
    key: await create(call, '/v1/keys', { name: 'Other', scopes: ['read'] }),
    person: tenant.personId,
    sender: tenant.senderId,
    quota: await create(call, '/v1/quotas', { name: 'Brand', dayUnits: 10_000 }),
    preset: await tenant.seedPreset('All bakeries'),
    testNumber: await create(call, '/v1/test-numbers', { number: '+12125552101', name: 'Alex' }),
    alert: await createAlert(tenant),
    hold: await create(call, '/v1/holds', {
      scope: 'sender',
      scopeId: tenant.senderId,
      reason: 'Its owner asked for it.',
    }),
    recipient: '1',
    suppression: await create(call, '/v1/suppressions', { number: '+12125552077', kind: 'opt_out' }),
  };
}
