import { type ApiClient, createApiClient } from '../dev/demo/api-client.ts';
import { followCampaign, launchDemoCampaign } from '../dev/demo/story.ts';
import { ACKNOWLEDGEMENT } from '../domain/launch-check.ts';

/** An account that has one of everything. */
export interface SeededForFuzzing {
  readonly client: ApiClient;
  readonly key: string;
}

/** Where to seed. */
export interface SeedPlace {
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  readonly operatorKey: string;
  readonly say: (line: string) => void;
}

const CONTACTS = Array.from(
  { length: 30 },
  (_, index) => `Name${index},+1415555${String(index).padStart(4, '0')}`,
);

/** Delivers a campaign to a few people, then leaves a draft, a key, a hold and a suppression behind. */
export async function seedForFuzzing(place: SeedPlace): Promise<SeededForFuzzing> {
  const contacts = Buffer.from(['First Name,Mobile', ...CONTACTS, 'Nobody,12'].join('\n'));
  const demo = await launchDemoCampaign({ ...place, contacts });
  await followCampaign(demo, () => undefined, new AbortController().signal);
  const { client, accountKey } = demo;
  const { items: senders } = await client.get<{ items: readonly { id: string }[] }>('/v1/senders');
  const { items: people } = await client.get<{ items: readonly { id: string }[] }>('/v1/people');
  const { items: lists } = await client.get<{ items: readonly { id: string }[] }>('/v1/lists');
  const draft = await client.post<{ id: string }>('/v1/campaigns', {
    name: 'Draft',
    senderId: senders[0]?.id,
    ownerId: people[0]?.id,
    listIds: [lists[0]?.id],
    purpose: 'marketing',
    acknowledgement: ACKNOWLEDGEMENT,
  });
  await client.post(`/v1/campaigns/${draft.id}/messages`, {
    text: 'Hi {{firstName|there}}, reply STOP to opt out',
  });
  await client.post('/v1/keys', { name: 'Another', scopes: ['read'] });
  await client.post('/v1/holds', {
    scope: 'sender',
    scopeId: senders[0]?.id,
    reason: 'It is being looked at.',
  });
  await client.post('/v1/suppressions', { number: '+14155550001', kind: 'manual' });
  return { client: createApiClient(place.apiUrl, accountKey), key: accountKey };
}
