import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { type CampaignBody, numbers, startSystemWorld, type SystemWorld } from './system-world.ts';

let world: SystemWorld;
let listId: string;
beforeAll(async () => {
  world = await startSystemWorld();
  listId = await world.list('Regulars', numbers(30, '415'));
});
afterAll(async () => {
  await world.stop();
});

interface Priced extends CampaignBody {
  readonly spent: { readonly amountMicro: number };
}

const act = (id: string, name: string, body: unknown = {}) =>
  world.api.post<{ state: string }>(`/v1/campaigns/${id}/${name}`, body);
const setBudget = (id: string, amountMicro: number | null) =>
  world.api.patch<Priced>(`/v1/campaigns/${id}`, {
    budget: amountMicro === null ? null : { amountMicro, currency: 'USD' },
  });
/** How many texts the carrier has taken, once nothing is under way any more. */
const allAccepted = async (id: string): Promise<number> =>
  (
    await until(
      () => world.campaign(id),
      ({ report }) => report.inFlight === 0,
    )
  ).report.accepted;
const openAlerts = async (campaignId: string): Promise<string[]> => {
  const page = await world.api.get<{ items: { cause: string }[] }>(
    `/v1/alerts?campaignId=${campaignId}&state=open`,
  );
  return page.items.map((alert) => alert.cause);
};

describe("a campaign's budget", () => {
  it('suspends it with the reason and an alert, never passed, and raising it lets it go on where it stopped', async () => {
    const priced = await world.draft('Priced', listId, ['Hi {{firstName}}']);
    await act(priced.id, 'launch', { start: 'now' });
    await world.reaches(priced.id, 'finished');
    const oneMicro = (await world.api.get<Priced>(`/v1/campaigns/${priced.id}`)).spent.amountMicro / 30;

    const draft = await world.draft('On a budget', listId, ['Hello {{firstName}}']);
    await setBudget(draft.id, 12 * oneMicro);
    await act(draft.id, 'launch', { start: 'now' });
    const suspended = await world.reaches(draft.id, 'suspended');
    expect(suspended.statusReasons).toMatchObject([{ code: 'campaign_budget' }]);
    expect(await allAccepted(draft.id)).toBe(12);
    expect(await openAlerts(draft.id)).toEqual(['campaign_budget']);
    await expect(act(draft.id, 'resume')).rejects.toThrow('cause-persists');

    await setBudget(draft.id, 20 * oneMicro);
    await act(draft.id, 'resume');
    await world.reaches(draft.id, 'suspended');
    expect(await allAccepted(draft.id)).toBe(20);
    expect((await setBudget(draft.id, null)).spent.amountMicro).toBe(20 * oneMicro);
    await act(draft.id, 'resume');
    expect((await world.reaches(draft.id, 'finished')).report.accepted).toBe(30);
    expect(await openAlerts(draft.id)).toEqual([]);
  });
});
