import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../dev/until.ts';
import { withOwner } from '../../dev/with-owner.ts';
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
const clearFaults = async (): Promise<void> => {
  const { urls } = world.system.current();
  await fetch(`${urls.sandbox ?? ''}/sandbox/faults`, { method: 'DELETE' });
};
/** Looks at, or moves, what has no place in the API: machine time that a test cannot wait for. */
const inDatabase = (statement: string): Promise<unknown[]> =>
  withOwner(world.system.current().urls.database, async (owner) => (await owner.query(statement)).rows);
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

describe('a carrier in trouble', () => {
  it('is left alone after few texts, tried with single ones, and gets the rest once it takes one', async () => {
    const many = await world.list('Many', numbers(300, '628'));
    await world.sandbox.post('/sandbox/faults', { fault: 'http_503' });
    const draft = await world.draft('Through the storm', many, ['Hi {{firstName}}, are you there?']);
    await act(draft.id, 'launch', { start: 'now' });
    await until(
      () => world.campaign(draft.id),
      ({ report }) => report.unknown > 0 && report.inFlight === 0,
    );
    await clearFaults();
    const { report } = await world.reaches(draft.id, 'finished');
    expect(report.accepted + report.unknown).toBe(300);
    // Whatever was under way when the fifth failure was seen, and probes.
    expect(report.unknown).toBeLessThan(100);
    expect(report.unknown).toBeGreaterThanOrEqual(5);
  });

  it('suspends what waits for it too long; a resume is refused until it may be tried again', async () => {
    const draft = await world.draft('Carrier down', listId, ['Anybody, {{firstName}}?']);
    await world.sandbox.post('/sandbox/faults', { fault: 'http_503' });
    await act(draft.id, 'launch', { start: 'now' });
    await until(
      () => inDatabase('select from circuits where opened_at is not null'),
      (open) => open.length > 0,
    );
    await inDatabase("update circuits set opened_at = opened_at - interval '1 hour'");
    const suspended = await world.reaches(draft.id, 'suspended');
    expect(suspended.statusReasons).toMatchObject([{ code: 'carrier_down' }]);
    expect(await openAlerts(draft.id)).toContain('carrier_down');
    await inDatabase("update circuits set probe_after = clock_timestamp() + interval '1 hour'");
    await expect(act(draft.id, 'resume')).rejects.toThrow('cause-persists');
    await clearFaults();
    await inDatabase("update circuits set probe_after = '-infinity'");
    await act(draft.id, 'resume');
    const { report } = await world.reaches(draft.id, 'finished');
    expect(report.accepted + report.unknown).toBe(30);
    expect(report.accepted).toBeGreaterThan(0);
  });
});

describe('what only the carrier can tell is mended', () => {
  const sumOf = (counts: readonly { readonly count: number }[]): number =>
    counts.reduce((sum, { count }) => sum + count, 0);
  const tell = (settings: unknown): Promise<unknown> =>
    world.sandbox.send('PUT', '/sandbox/settings', Buffer.from(JSON.stringify(settings)), 'application/json');
  it.each([
    ['credit', { creditMicroUsd: 0 }, { creditMicroUsd: null }],
    ['carrier_disabled', { isAccountDisabled: true }, { isAccountDisabled: false }],
    ['credentials', { refusesCredentials: true }, { refusesCredentials: false }],
  ])('keeps a campaign suspended for %s until it is', async (cause, broken, mended) => {
    const draft = await world.draft(`For ${cause}`, listId, [`Hi {{firstName}}, about ${cause}`]);
    await tell(broken);
    await act(draft.id, 'launch', { start: 'now' });
    const suspended = await world.reaches(draft.id, 'suspended', 'finished');
    expect(suspended.statusReasons).toMatchObject([{ code: cause }]);
    // A report that comes late would suspend it once more.
    await until(
      () => world.campaign(draft.id),
      ({ report }) => report.inFlight === 0 && sumOf(report.failed) === report.accepted,
    );
    await expect(act(draft.id, 'resume')).rejects.toThrow(
      new RegExp(`409.*"code":"cause-persists".*"cause":"${cause}"`),
    );

    await tell({ ...mended, accountHttpStatus: 503 });
    await expect(act(draft.id, 'resume')).rejects.toThrow(/409.*"code":"carrier-silent"/);
    expect((await world.campaign(draft.id)).status).toBe('suspended');

    await tell({ accountHttpStatus: 200 });
    await act(draft.id, 'resume');
    const { report } = await world.reaches(draft.id, 'finished');
    // Whom the carrier has failed for want of credit, or because it had disabled the account, it never handed over.
    expect(report.accepted).toBe(30);
  });
});

describe('a sender that is reported as spam too often', () => {
  it('has what it sends suspended, and refuses a resume for as long as the reports count', async () => {
    const many = await world.list('Annoyed', numbers(300, '530'));
    const pace = (segmentsPerSecond: number | null) =>
      world.api.patch(`/v1/senders/${world.senderId}`, { segmentsPerSecond });
    await pace(20);
    await world.sandbox.post('/sandbox/faults', { fault: 'failed_30' });
    const draft = await world.draft('Spam', many, ['You have won, {{firstName}}!']);
    await act(draft.id, 'launch', { start: 'now' });
    const suspended = await world.reaches(draft.id, 'suspended', 'finished');
    expect(suspended.statusReasons).toMatchObject([{ code: 'spam' }]);
    expect(await openAlerts(draft.id)).toEqual(['spam']);
    expect(await allAccepted(draft.id)).toBeLessThan(300);
    await expect(act(draft.id, 'resume')).rejects.toThrow('cause-persists');
    await clearFaults();
    await pace(null);
    await inDatabase("update sender_reports set minute = minute - interval '61 minutes'");
    await act(draft.id, 'resume');
    expect((await world.reaches(draft.id, 'finished')).report.accepted).toBe(300);
  });
});

describe('a daily cap that senders share', () => {
  it('lets so many through, says when it goes on, and goes on at once when it is raised', async () => {
    const quota = await world.api.post<{ id: string }>('/v1/quotas', { name: 'Brand', dayUnits: 12 });
    await world.api.patch(`/v1/senders/${world.senderId}`, { quotaIds: [quota.id] });
    const draft = await world.draft('Capped', listId, ['Today, {{firstName}}?']);
    await act(draft.id, 'launch', { start: 'now' });
    const capped = await until(
      () => world.campaign(draft.id),
      ({ report }) => report.accepted === 12 && report.inFlight === 0,
    );
    const left = await world.api.get<{ unitsLeftToday: number; resetsAt: string }>(`/v1/quotas/${quota.id}`);
    expect(left.unitsLeftToday).toBe(0);
    expect(capped.next.what).toBe('go on with message 1');
    expect(Date.parse(capped.next.at ?? '')).toBe(Date.parse(left.resetsAt));
    await world.api.patch(`/v1/quotas/${quota.id}`, { dayUnits: null });
    expect((await world.reaches(draft.id, 'finished')).report.accepted).toBe(30);
  });
});
