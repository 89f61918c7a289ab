import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../../dev/demo/api-client.ts';
import { until } from '../../dev/until.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import { type CampaignBody, numbers, startSystemWorld, type SystemWorld } from './system-world.ts';

const ZONE = 'America/New_York';
const [ALEX = '', BO = '', CHRIS = '', DANA = ''] = numbers(4, '917');

interface Test {
  readonly id: string;
  readonly number: string;
  readonly state: string;
  readonly cause: string | null;
}

let world: SystemWorld;
let listId: string;
beforeAll(async () => {
  world = await startSystemWorld();
  listId = await world.list('Readers', numbers(3, '415'));
  for (const number of [ALEX, BO, CHRIS, DANA]) await world.api.post('/v1/test-numbers', { number });
});
afterAll(async () => {
  await world.stop();
});

const pathOf = (draft: CampaignBody) => `/v1/campaigns/${draft.id}/messages/${draft.messages[0]?.id}`;
const testsOf = async (draft: CampaignBody): Promise<readonly Test[]> =>
  (await world.api.get<{ items: Test[] }>(`${pathOf(draft)}/tests`)).items;
const order = (draft: CampaignBody, body: unknown) =>
  world.api.post<{ tests: Test[] }>(`${pathOf(draft)}/test`, body);
const textedTo = async (...people: readonly string[]) =>
  (await world.ledger()).filter((line) => people.includes(line.dst)).map((line) => line.dst);
const settled = (draft: CampaignBody, ...states: readonly string[]) =>
  until(
    () => testsOf(draft),
    (tests) => tests.every((test) => states.includes(test.state)),
  );

describe('a message on trial', () => {
  it('reaches the test numbers once each, by the carrier’s own ledger, and its fate is shown; the campaign is as before', async () => {
    const draft = await world.draft('On trial', listId, ['Hi {{firstName|there}}']);
    const before = await world.campaign(draft.id);
    await order(draft, { numbers: [ALEX, BO] });
    expect(await settled(draft, 'delivered')).toHaveLength(2);
    expect((await textedTo(ALEX, BO)).toSorted()).toEqual([ALEX, BO]);
    expect(await world.campaign(draft.id)).toEqual(before);
    await world.api.post(`/v1/campaigns/${draft.id}/launch`, { start: 'now' });
    const finished = await world.reaches(draft.id, 'finished');
    expect(finished.report).toMatchObject({ recipients: 3, accepted: 3 });
  });

  it('that is ordered twice with one key goes out once, and to a number that is not registered never', async () => {
    const draft = await world.draft('With a key', listId, ['Once']);
    const { urls } = world.system.current();
    const { key } = await world.api.post<{ key: string }>('/v1/keys', { name: 'Tests', scopes: ['send'] });
    const keyed = createApiClient(urls.api, key, { 'idempotency-key': 'a test' });
    const twice = [1, 2].map(() =>
      keyed.post<{ tests: Test[] }>(`${pathOf(draft)}/test`, { numbers: [CHRIS] }),
    );
    const answers = await Promise.allSettled(twice);
    const again = await keyed.post<{ tests: Test[] }>(`${pathOf(draft)}/test`, { numbers: [CHRIS] });
    // The twin either waited its turn or was told that the first is still under way.
    expect(answers.some((answer) => answer.status === 'fulfilled')).toBe(true);
    expect(again.tests).toHaveLength(1);
    expect(await settled(draft, 'delivered')).toHaveLength(1);
    expect(await textedTo(CHRIS)).toEqual([CHRIS]);
    await expect(order(draft, { numbers: numbers(1, '415') })).rejects.toThrow('unknown-reference');
  });

  it('in quiet hours needs a confirmation', async () => {
    const draft = await world.draft('Late', listId, ['Late']);
    const hour = (hours: number) => toLocal(Date.now() + hours * 3_600_000, ZONE).slice(11, 16);
    await world.api.patch('/v1/account', { quietHours: { start: hour(-2), end: hour(2) } });
    await expect(order(draft, { numbers: [ALEX] })).rejects.toThrow('quiet-hours');
    await order(draft, { numbers: [ALEX], confirmQuietHours: true });
    await settled(draft, 'delivered');
    await world.api.patch('/v1/account', { quietHours: { start: '00:00', end: '00:00' } });
    expect((await textedTo(ALEX)).length).toBe(2);
  });

  it('on which a worker dies is never sent again: unknown before the post, proved by the report after it', async () => {
    const worker = world.system.current().part('worker');
    const dieAt = async (point: string, draft: CampaignBody): Promise<void> => {
      await worker.stop();
      await worker.start({ CARILLON_CRASH_AT: point });
      const died = worker.ended();
      await order(draft, { numbers: [DANA] });
      await died;
      await worker.stop();
      await worker.start({});
    };
    const lost = await world.draft('Lost', listId, ['Lost']);
    await dieAt('post.before', lost);
    expect(await settled(lost, 'unknown')).toMatchObject([{ cause: 'worker_lost' }]);
    const proved = await world.draft('Proved', listId, ['Proved']);
    await dieAt('post.answered', proved);
    expect(await settled(proved, 'delivered')).toHaveLength(1);
    expect(await textedTo(DANA)).toEqual([DANA]);
  });
});
