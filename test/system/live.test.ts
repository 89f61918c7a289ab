import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApiClient } from '../../dev/demo/api-client.ts';
import { type EventClient, followEvents, type SseEvent } from '../events/event-client.ts';
import { numbers, startSystemWorld, type SystemWorld } from './system-world.ts';

const RECIPIENTS = 200;
const TIMEOUT_MS = 300_000;

let world: SystemWorld;
let key: string;
beforeAll(async () => {
  world = await startSystemWorld();
  const { urls, firstKeys } = world.system.current();
  const headers = { 'carillon-account': world.accountId };
  const operator = createApiClient(urls.api, firstKeys?.operatorKey ?? '', headers);
  ({ key } = await operator.post<{ key: string }>('/v1/keys', { name: 'Live', scopes: ['read'] }));
});
afterAll(async () => {
  await world.stop();
});

const follow = (path: string, lastEventId: number | null): Promise<EventClient> =>
  followEvents(world.system.current().urls.api, key, path, lastEventId);
const statuses = (events: readonly SseEvent[], id: string): unknown[] =>
  events
    .filter((event) => event.kind === 'status' && event.data['campaignId'] === id)
    .map((event) => event.data['to']);

it(
  'a campaign is followed live from its launch to its end, also past an API that is killed in between',
  async () => {
    await world.api.patch(`/v1/senders/${world.senderId}`, { segmentsPerSecond: 40 });
    const listId = await world.list('Followed', numbers(RECIPIENTS));
    const { id } = await world.draft('Followed', listId, ['Hi {{firstName}}']);
    const path = `/v1/campaigns/${id}/events`;
    const before = await follow(path, null);
    const ofAccount = await follow('/v1/events', null);
    for (const reader of [before, ofAccount]) await reader.awaits((event) => event.kind === 'ready');
    await world.api.post(`/v1/campaigns/${id}/launch`, { start: 'now' });
    await before.awaits((event) => Number(event.data['accepted']) > 20);

    const api = world.system.current().part('api');
    await api.kill();
    await before.ended;
    await api.start();
    const after = await follow(path, before.lastId());
    await after.awaits((event) => event.kind === 'status' && event.data['to'] === 'finished');
    const last = await after.awaits((event) => event.data['delivered'] === RECIPIENTS);
    expect(last.data).toMatchObject({ campaignId: id, accepted: RECIPIENTS, left: 0, unknown: 0 });

    const told = [...before.numbered(), ...after.numbered()];
    const ids = told.map((event) => event.id ?? 0);
    expect(ids).toEqual([...new Set(ids)].toSorted((one, other) => one - other));
    // Each status begins where the one before it ended, so none is missing.
    const changes = told.filter((event) => event.kind === 'status').map((event) => event.data);
    expect(changes[0]).toMatchObject({ from: 'draft', to: 'processing' });
    expect(changes.slice(1).map((change) => change['from'])).toEqual(
      changes.slice(0, -1).map((change) => change['to']),
    );
    const what = told.filter((event) => event.kind === 'log').map((event) => event.data['what']);
    expect(what).toEqual(expect.arrayContaining(['launch', 'prepare', 'finish']));

    // The account's stream tells the same, from before the launch on.
    const back = await follow('/v1/events?follow=false', ofAccount.events[0]?.id ?? 0);
    await back.ended;
    expect(statuses(back.events, id)).toEqual(changes.map((change) => change['to']));
    expect(JSON.stringify([before.events, after.events, back.events])).not.toContain('+1415');
  },
  TIMEOUT_MS,
);
