import { setTimeout as delay } from 'node:timers/promises';
import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { zonesInDaylight } from './daylight.ts';
import { demoPicture } from './picture.ts';
import type { CampaignView, ImportView } from './views.ts';

/** What the demo has set up. */
export interface DemoCampaign {
  readonly client: ApiClient;
  readonly campaignId: string;
  readonly accountId: string;
  readonly accountKey: string;
  readonly zone: string;
  readonly imported: ImportView;
}

/** Where the demo works and what it tells on the way. */
export interface Stage {
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  readonly operatorKey: string;
  readonly contacts: Buffer;
  readonly say: (line: string) => void;
}

const SHORT_CODE = '24365';
const SMS_PER_SECOND = 100;
const MMS_PER_SECOND = 50;
const POLL_MS = 300;
const MESSAGE_GAP_MS = 20_000;

/** Sets an account up, imports the contacts, and launches a campaign of three messages. */
export async function launchDemoCampaign(stage: Stage): Promise<DemoCampaign> {
  const [zone = ''] = zonesInDaylight(Date.now(), 1);
  const { client, accountId, accountKey, personId, senderId } = await setUpAccount(stage, zone);
  const list = await client.post<{ id: string }>('/v1/lists', { name: 'Demo contacts' });
  const imported = await importContacts(client, [list.id], stage.contacts);
  const media = await client.send<{ id: string }>('POST', '/v1/media', demoPicture(), 'image/png');
  const campaign = await client.post<{ id: string }>('/v1/campaigns', {
    name: 'Spring opening',
    senderId,
    ownerId: personId,
    listIds: [list.id],
    purpose: 'marketing',
    acknowledgement: ACKNOWLEDGEMENT,
  });
  const now = Date.now();
  const schedule = (afterMs: number) => ({ local: toLocal(now + afterMs, zone), zone });
  const messages = `/v1/campaigns/${campaign.id}/messages`;
  await client.post(messages, {
    text: '{{account.senderName}}: Hi {{firstName|there}}, we open again on Saturday. Reply STOP to opt out',
  });
  await client.post(messages, {
    text: 'Coffee is on us this Saturday ☕🎉 See you there!',
    schedule: schedule(MESSAGE_GAP_MS),
  });
  await client.post(messages, {
    text: 'This is how to find us, {{firstName|dear neighbour}}.',
    mediaIds: [media.id],
    schedule: schedule(2 * MESSAGE_GAP_MS),
  });
  await client.post(`/v1/campaigns/${campaign.id}/launch`, { start: 'now' });
  return { client, campaignId: campaign.id, accountId, accountKey, zone, imported };
}

async function setUpAccount(stage: Stage, zone: string) {
  const operator = createApiClient(stage.apiUrl, stage.operatorKey);
  const account = await operator.post<{ id: string }>('/v1/accounts', {
    name: 'Harbour Bakery',
    senderName: 'Harbour',
    timeZone: zone,
    defaultCountry: 'US',
  });
  const acting = createApiClient(stage.apiUrl, stage.operatorKey, { 'carillon-account': account.id });
  const { key } = await acting.post<{ key: string }>('/v1/keys', {
    name: 'Demo',
    scopes: ['read', 'write', 'send', 'reports'],
  });
  const client = createApiClient(stage.apiUrl, key);
  const person = await client.post<{ id: string }>('/v1/people', {
    name: 'Alex Rivera',
    address: 'alex@example.com',
  });
  const sender = await client.post<{ id: string }>('/v1/senders', {
    address: SHORT_CODE,
    type: 'short_code',
    supportsMms: true,
    registration: 'approved',
    segmentsPerSecond: SMS_PER_SECOND,
    mmsPerSecond: MMS_PER_SECOND,
  });
  await createApiClient(stage.sandboxUrl, '').put(`/sandbox/numbers/${SHORT_CODE}`, {
    smsSegmentsPerSecond: SMS_PER_SECOND,
    mmsPerSecond: MMS_PER_SECOND,
  });
  stage.say(
    `The sandbox carrier gives the short code ${SHORT_CODE} ${SMS_PER_SECOND} SMS segments and ${MMS_PER_SECOND} MMS a second; it is day in ${zone}.`,
  );
  return { client, accountId: account.id, accountKey: key, personId: person.id, senderId: sender.id };
}

/** Imports a file into these lists, and waits for its end. */
export async function importContacts(
  client: ApiClient,
  listIds: readonly string[],
  contacts: Buffer,
): Promise<ImportView> {
  const { id } = await client.post<{ id: string }>('/v1/imports', { listIds });
  await client.send('PUT', `/v1/imports/${id}/content`, contacts, 'text/csv');
  for (;;) {
    const view = await client.get<ImportView>(`/v1/imports/${id}`);
    if (view.status === 'finished') return view;
    if (view.status === 'failed')
      throw new Error(`The contacts could not be imported: ${JSON.stringify(view.error)}`);
    await delay(POLL_MS);
  }
}

/** Follows the campaign until it rests. */
export async function followCampaign(
  demo: DemoCampaign,
  show: (view: CampaignView) => void,
  signal: AbortSignal,
): Promise<CampaignView> {
  for (;;) {
    const view = await demo.client
      .get<CampaignView>(`/v1/campaigns/${demo.campaignId}`)
      .catch((error: unknown) => {
        // The API may be down for a moment while somebody plays with kill; the campaign goes on without it.
        if (signal.aborted) throw error;
        return null;
      });
    if (view !== null) {
      show(view);
      if (['finished', 'stopped', 'aborted', 'rejected', 'suspended'].includes(view.status)) return view;
    }
    signal.throwIfAborted();
    await delay(POLL_MS);
  }
}
