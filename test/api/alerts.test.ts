import { afterAll, beforeAll, expect, test } from 'vitest';
import { raiseAlert, resolveAlerts } from '../../db/alerts.ts';
import { withAccount } from '../../db/database.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import type { AlertKind, AlertSeverity } from '../../domain/alert.ts';
import { type ApiWorld, NOON, openApiWorld, type Tenant } from './api-world.ts';
import { create, createDraft } from './seeded-things.ts';

interface AlertBody {
  readonly id: string;
  readonly kind: string;
  readonly cause: string;
  readonly state: string;
  readonly count: number;
  readonly reason: string;
  readonly remedy: string;
  readonly subject: { readonly kind: string; readonly id: string };
}

let world: ApiWorld;

beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

async function alerts(tenant: Tenant, query = ''): Promise<AlertBody[]> {
  const reply = await tenant.call('GET', `/v1/alerts?${query}`);
  expect([query, reply.status]).toEqual([query, 200]);
  return reply.body['items'] as AlertBody[];
}

function raise(
  tenant: Tenant,
  cause: string,
  more: { readonly kind?: AlertKind; readonly severity?: AlertSeverity; readonly campaignId?: string } = {},
): Promise<void> {
  const { accountId, senderId } = tenant;
  return withAccount(world.db, accountId, (trx) =>
    raiseAlert(trx, {
      accountId,
      kind: 'carrier_trouble',
      severity: 'warning',
      subject: { kind: 'sender', id: senderId },
      cause,
      reason: 'The carrier does not answer.',
      remedy: 'Ask the carrier.',
      ...more,
    }),
  );
}

test('each filter leaves what it names, the latest first, in pages with a total', async () => {
  const tenant = await world.openTenant();
  const { campaign } = await createDraft(tenant, 'Concerned');
  await raise(tenant, 'one');
  await raise(tenant, 'two', { kind: 'registration_lapsing', severity: 'critical' });
  await raise(tenant, 'three', { kind: 'forecast', severity: 'info', campaignId: campaign });
  await raise(tenant, 'four');
  await withAccount(world.db, tenant.accountId, (trx) =>
    resolveAlerts(trx, {
      accountId: tenant.accountId,
      kind: 'carrier_trouble',
      subjectId: tenant.senderId,
      cause: 'four',
    }),
  );
  const [one] = await alerts(tenant, 'kind=carrier_trouble&state=open');
  await tenant.call('POST', `/v1/alerts/${one?.id}/acknowledge`);

  const cases: readonly [string, readonly string[]][] = [
    ['', ['four', 'three', 'two', 'one']],
    ['kind=carrier_trouble', ['four', 'one']],
    ['kind=forecast&kind=registration_lapsing', ['three', 'two']],
    ['severity=critical&severity=info', ['three', 'two']],
    ['state=open', ['three', 'two']],
    ['state=acknowledged', ['one']],
    ['state=resolved', ['four']],
    ['state=open&state=acknowledged', ['three', 'two', 'one']],
    [`campaignId=${campaign}`, ['three']],
    [`subjectId=${tenant.senderId}&severity=warning`, ['four', 'one']],
    ['subjectId=snd_other', []],
  ];
  const found: [string, readonly string[]][] = [];
  for (const [query] of cases) found.push([query, (await alerts(tenant, query)).map(({ cause }) => cause)]);
  expect(found).toEqual(cases);
  const page = await tenant.call('GET', '/v1/alerts?page=2&pageSize=3');
  expect(page.body).toMatchObject({ items: [{ cause: 'one' }], page: 2, total: 4, pages: 2 });
  for (const query of ['kind=weather', 'state=gone', 'campaignId=x', 'page=0']) {
    expect([query, (await tenant.call('GET', `/v1/alerts?${query}`)).status]).toEqual([query, 400]);
  }
});

test('the first who acknowledges is kept by name, and whoever comes after changes nothing', async () => {
  const tenant = await world.openTenant();
  await raise(tenant, 'one');
  const [alert] = await alerts(tenant);
  const path = `/v1/alerts/${alert?.id}`;
  const headers = { 'carillon-person': tenant.personId };
  const first = await tenant.call('POST', `${path}/acknowledge`, { headers });
  expect(first).toMatchObject({
    status: 200,
    body: { state: 'acknowledged', acknowledgedBy: { id: tenant.personId, kind: 'person', name: 'Owner' } },
  });
  const second = await tenant.call('POST', `${path}/acknowledge`);
  expect(second.body).toEqual(first.body);
  const read = await tenant.call('GET', path);
  expect(read.body).toEqual(first.body);
  expect(read.headers.get('etag')).toBe('"2"');
  const { body: log } = await tenant.call('GET', '/v1/log?subjectKind=alert');
  expect(log['items']).toMatchObject([{ what: 'acknowledge', by: { id: tenant.personId } }]);

  // Seen again it is counted, and still somebody takes care of it.
  await raise(tenant, 'one');
  expect(await alerts(tenant)).toMatchObject([{ state: 'acknowledged', count: 2 }]);
});

test("an alert of the installation is the operator's, and no account sees it", async () => {
  await withAccount(world.db, 'operator', (trx) =>
    raiseAlert(trx, {
      accountId: 'operator',
      kind: 'carrier_trouble',
      severity: 'critical',
      subject: { kind: 'carrier_account', id: world.mine.carrierAccountId },
      cause: 'credit',
      reason: 'It is empty.',
      remedy: 'Top it up.',
    }),
  );
  const { body } = await world.operator('GET', '/v1/alerts');
  const [alert] = body['items'] as AlertBody[];
  expect(alert).toMatchObject({ subject: { kind: 'carrier_account' }, cause: 'credit' });
  expect(await alerts(world.mine)).toEqual([]);
  expect((await world.mine.call('GET', `/v1/alerts/${alert?.id}`)).status).toBe(404);
  const taken = await world.operator('POST', `/v1/alerts/${alert?.id}/acknowledge`);
  expect(taken).toMatchObject({ status: 200, body: { acknowledgedBy: { kind: 'key', name: 'Test' } } });
});

async function launched(tenant: Tenant, name: string): Promise<{ campaign: string; message: string }> {
  const ids = await createDraft(tenant, name);
  await create(tenant.call, `/v1/campaigns/${ids.campaign}/launch`, { start: 'later' });
  return ids;
}

const act = (tenant: Tenant, campaign: string, action: string, body: unknown = {}) =>
  tenant.call('POST', `/v1/campaigns/${campaign}/${action}`, { body });

test.each([
  ['stopped', (tenant: Tenant, id: string) => act(tenant, id, 'stop')],
  ['aborted', (tenant: Tenant, id: string) => act(tenant, id, 'abort')],
  ['deleted', (tenant: Tenant, id: string) => tenant.call('DELETE', `/v1/campaigns/${id}`)],
])('a suspension needs somebody, on the campaign too, until it is %s', async (_how, end) => {
  const tenant = await world.openTenant();
  const { campaign } = await launched(tenant, 'To suspend');
  await act(tenant, campaign, 'suspend', { reason: 'The owner asked for it.' });
  const [alert] = await alerts(tenant, 'kind=suspension&state=open');
  expect(alert).toMatchObject({
    severity: 'critical',
    subject: { kind: 'campaign', id: campaign },
    reason: 'The owner asked for it.',
    remedy: 'Settle it with whoever suspended the campaign, then resume.',
    count: 1,
  });
  const view = await tenant.call('GET', `/v1/campaigns/${campaign}`);
  expect(view.body['alerts']).toEqual([alert]);
  expect((await end(tenant, campaign)).status).toBeLessThan(300);
  expect(await alerts(tenant, 'state=open')).toEqual([]);
  expect(await alerts(tenant, 'state=resolved')).toMatchObject([{ id: alert?.id }]);
});

async function refused(tenant: Tenant): Promise<{ campaign: string; message: string }> {
  await world.owner.query(
    `update refused_phrases set effective_to = '2026-01-01' where phrase = 'easy money'`,
  );
  await world.operator('POST', '/v1/refused-phrases', {
    body: { phrase: 'easy money', reason: 'It promises too much.', effectiveFrom: '2026-01-01' },
  });
  const ids = await createDraft(tenant, 'Refused');
  await tenant.call('PATCH', `/v1/campaigns/${ids.campaign}/messages/${ids.message}`, {
    body: { text: 'Easy money! Reply STOP to opt out.' },
  });
  await create(tenant.call, `/v1/campaigns/${ids.campaign}/launch`, { start: 'later' });
  const { accountId } = tenant;
  const prepared = await withAccount(world.db, accountId, (trx) =>
    prepareCampaign(trx, { accountId, campaignId: ids.campaign, at: NOON }),
  );
  expect(prepared).toEqual({ kind: 'rejected' });
  return ids;
}

test.each([
  [
    'its message is edited',
    (tenant: Tenant, { campaign, message }: { campaign: string; message: string }) =>
      tenant.call('PATCH', `/v1/campaigns/${campaign}/messages/${message}`, { body: { text: 'Hello.' } }),
  ],
  [
    'an operator overrules the check',
    (tenant: Tenant, { campaign }: { campaign: string }) =>
      world.operator('POST', `/v1/campaigns/${campaign}/overrule`, {
        headers: { 'carillon-account': tenant.accountId },
      }),
  ],
])('refused content needs somebody until %s', async (_how, mend) => {
  const tenant = await world.openTenant();
  const ids = await refused(tenant);
  expect(await alerts(tenant, 'state=open')).toMatchObject([
    {
      kind: 'content_rejected',
      subject: { kind: 'campaign', id: ids.campaign },
      reason: 'The content is refused. It contains “easy money”: It promises too much.',
    },
  ]);
  expect((await mend(tenant, ids)).status).toBeLessThan(300);
  expect(await alerts(tenant, 'state=open')).toEqual([]);
});
