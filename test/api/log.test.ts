import { afterAll, beforeAll, expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { appendLog, type LogEntry } from '../../db/log.ts';
import { type ApiWorld, openApiWorld, type Tenant } from './api-world.ts';
import { create, createDraft } from './seeded-things.ts';

interface Line {
  readonly id: string;
  readonly at: string;
  readonly by: { readonly id: string; readonly kind: string; readonly name: string | null };
  readonly key: { readonly id: string; readonly name: string | null } | null;
  readonly via: string;
  readonly what: string;
  readonly subject: { readonly kind: string; readonly id: string };
  readonly campaignId: string | null;
  readonly from: unknown;
  readonly to: unknown;
}

let world: ApiWorld;
let campaign: string;
/** The lines that `beforeAll` wrote begin here, so that those of setting up do not count. */
let since: string;

const SYSTEM = { id: 'system', via: 'system' } as const;
const TEMPORAL = { id: 'temporal', via: 'temporal' } as const;

function write(tenant: Tenant, lines: readonly Omit<LogEntry, 'accountId'>[]): Promise<void> {
  const { accountId } = tenant;
  return withAccount(world.db, accountId, async (trx) => {
    for (const line of lines) await appendLog(trx, { accountId, ...line });
  });
}

async function read(query: string, path = '/v1/log'): Promise<Line[]> {
  const reply = await world.mine.call('GET', `${path}?atFrom=${since}&order=asc&${query}`);
  expect([query, reply.status]).toEqual([query, 200]);
  return reply.body['items'] as Line[];
}

const verbs = async (query: string, path?: string) => (await read(query, path)).map((line) => line.what);

beforeAll(async () => {
  world = await openApiWorld();
  ({ campaign } = await createDraft(world.mine, 'Logged'));
  const { personId, senderId } = world.mine;
  const { rows } = await world.owner.query<{ at: Date }>('select clock_timestamp() as at');
  since = new Date((rows[0]?.at.getTime() ?? 0) + 1).toISOString();
  await world.owner.query('select pg_sleep(0.002)');
  const person = { id: personId, via: 'api', keyId: 'key_a' } as const;
  await write(world.mine, [
    {
      what: 'one',
      actor: person,
      subject: { kind: 'sender', id: senderId },
      from: { disabled: false },
      to: { disabled: true },
    },
    { what: 'two', actor: SYSTEM, campaignId: campaign, from: 'started', to: 'finished' },
    { what: 'three', actor: TEMPORAL, campaignId: campaign },
    {
      what: 'four',
      actor: { id: 'key_a', via: 'api', keyId: 'key_a' },
      subject: { kind: 'message', id: 'msg_a' },
      campaignId: campaign,
    },
  ]);
  await write(world.theirs, [{ what: 'theirs', actor: SYSTEM }]);
});
afterAll(() => world.close());

test('an account reads its own lines, from the oldest or from the newest, and nobody else’s', async () => {
  expect(await verbs('')).toEqual(['one', 'two', 'three', 'four']);
  const newest = await world.mine.call('GET', '/v1/log?pageSize=2');
  expect((newest.body['items'] as Line[]).map((line) => line.what)).toEqual(['four', 'three']);
  expect((await read('what=one'))[0]).toMatchObject({
    by: { id: world.mine.personId, kind: 'person', name: 'Owner' },
    key: { id: 'key_a' },
    via: 'api',
    subject: { kind: 'sender', id: world.mine.senderId },
    campaignId: null,
    from: { disabled: false },
    to: { disabled: true },
  });
  expect((await read('what=two'))[0]).toMatchObject({
    by: { id: 'system', kind: 'system', name: null },
    key: null,
    subject: { kind: 'campaign', id: campaign },
    from: 'started',
    to: 'finished',
  });
});

test('each filter leaves what it names, several values of one are joined by or, several filters by and', async () => {
  const { personId, senderId } = world.mine;
  const cases: readonly [string, readonly string[]][] = [
    ['what=one&what=four', ['one', 'four']],
    ['what=nothing', []],
    ['subjectKind=campaign', ['two', 'three']],
    ['subjectKind=sender&subjectKind=message', ['one', 'four']],
    [`subjectId=${senderId}`, ['one']],
    [`campaignId=${campaign}`, ['two', 'three', 'four']],
    [`who=${personId}&who=temporal`, ['one', 'three']],
    ['keyId=key_a', ['one', 'four']],
    ['via=system&via=temporal', ['two', 'three']],
    ['via=api&subjectKind=message', ['four']],
    ['via=api&subjectKind=campaign', []],
  ];
  const found: [string, readonly string[]][] = [];
  for (const [query] of cases) found.push([query, await verbs(query)]);
  expect(found).toEqual(cases);
});

test('instants narrow it half-open, whatever their offset', async () => {
  const { accountId, call } = world.theirs;
  await world.owner.query(
    `insert into log (account_id, subject_kind, subject_id, at, what, who, via)
     select $1, 'account', $1, at::timestamptz, 'timed', 'system', 'system'
     from unnest(array['2027-01-01T10:00Z', '2027-01-01T11:00Z', '2027-01-01T12:00Z']) as at`,
    [accountId],
  );
  const hours = async (query: string) => {
    const { body } = await call('GET', `/v1/log?what=timed&order=asc&${query}`);
    return (body['items'] as Line[]).map((line) => line.at.slice(11, 13));
  };
  expect(await hours('atFrom=2027-01-01T11:00:00Z')).toEqual(['11', '12']);
  expect(await hours('atTo=2027-01-01T11:00:00Z')).toEqual(['10']);
  expect(await hours('atFrom=2027-01-01T06:00:00-05:00&atTo=2027-01-01T12:00:00Z')).toEqual(['11']);
  const wrong = await call('GET', '/v1/log?atFrom=yesterday');
  expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid-field' } });
});

test("a campaign's log has its own lines only, those of its messages too", async () => {
  expect(await verbs('', `/v1/campaigns/${campaign}/log`)).toEqual(['two', 'three', 'four']);
  expect(await verbs('subjectKind=message', `/v1/campaigns/${campaign}/log`)).toEqual(['four']);
  const refused = await world.mine.call('GET', `/v1/campaigns/${campaign}/log?campaignId=${campaign}`);
  expect(refused).toMatchObject({ status: 400, body: { code: 'invalid-field' } });
});

test('a cursor goes through all lines once, also through those of one instant, in both directions', async () => {
  const { accountId } = world.theirs;
  // One statement writes many lines at the same instant.
  await world.owner.query(
    `insert into log (account_id, subject_kind, subject_id, at, what, who, via)
     select $1, 'account', $1, now(), 'many', 'system', 'system' from generate_series(1, 23)`,
    [accountId],
  );
  for (const order of ['asc', 'desc']) {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await world.theirs.call(
        'GET',
        `/v1/log?order=${order}&what=many&pageSize=5${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...(page.body['items'] as Line[]).map((line) => line.id));
      cursor = page.body['nextCursor'] as string | null;
    }
    expect(seen).toHaveLength(23);
    expect(new Set(seen).size).toBe(23);
    expect(seen.map(Number)).toEqual(seen.map(Number).toSorted((a, b) => (order === 'asc' ? a - b : b - a)));
  }
  const [theirs] = (await world.theirs.call('GET', '/v1/log?pageSize=1')).body['items'] as Line[];
  for (const cursor of [theirs?.id, 'abc', '-1', '999999999999999']) {
    const reply = await world.mine.call('GET', `/v1/log?cursor=${cursor}`);
    expect([cursor, reply.status, reply.body['code']]).toEqual([cursor, 400, 'invalid-field']);
  }
});

test('what somebody did keeps the name, as it is today, after the person is disabled and the key revoked', async () => {
  const { call } = world.mine;
  const person = await create(call, '/v1/people', { name: 'Kim Before', address: 'kim@example.com' });
  const key = await create(call, '/v1/keys', { name: 'Old job', scopes: ['read'] });
  const drafted = await call('POST', '/v1/campaigns', {
    body: { name: 'By Kim', ownerId: person },
    headers: { 'carillon-person': person },
  });
  const id = String(drafted.body['id']);
  await write(world.mine, [{ what: 'kim', campaignId: id, actor: { id: person, via: 'api', keyId: key } }]);
  await call('PATCH', `/v1/people/${person}`, { body: { name: 'Kim After', disabled: true } });
  await call('DELETE', `/v1/keys/${key}`);

  expect(await read('what=kim', `/v1/campaigns/${id}/log`)).toMatchObject([
    { by: { id: person, kind: 'person', name: 'Kim After' }, key: { id: key, name: 'Old job' } },
  ]);
  const view = (await call('GET', `/v1/campaigns/${id}`)).body;
  expect(view).toMatchObject({
    createdBy: person,
    createdByName: 'Kim After',
    ownerId: person,
    ownerName: 'Kim After',
  });
  const acts = await call('POST', '/v1/campaigns', { body: {}, headers: { 'carillon-person': person } });
  expect(acts).toMatchObject({
    status: 422,
    body: { code: 'unknown-reference', detail: 'The person whom Carillon-Person names is disabled.' },
  });
  expect(await call('POST', '/v1/campaigns', { body: { ownerId: person } })).toMatchObject({
    status: 422,
    body: {
      code: 'unknown-reference',
      errors: [{ pointer: '/ownerId', message: expect.stringContaining('enable') }],
    },
  });
});

test('an action says who ordered it, by name, and when it was answered', async () => {
  const { call, personId } = world.mine;
  const { campaign: id } = await createDraft(world.mine, 'Acted on');
  const ordered = await call('POST', `/v1/campaigns/${id}/archive`, {
    headers: { 'carillon-person': personId },
  });
  const action = await call('GET', String(ordered.body['url']));
  expect(action.body).toMatchObject({
    action: 'archive',
    state: 'applied',
    by: { id: personId, kind: 'person', name: 'Owner' },
    via: 'api',
    answeredAt: expect.any(String) as string,
  });
  expect((await read('what=archive', `/v1/campaigns/${id}/log`))[0]).toMatchObject({
    by: { id: personId },
    key: { name: 'Test' },
  });
});

test("an operator reads the installation's log without an account, and with one the log of that account", async () => {
  const headers = { 'carillon-account': world.mine.accountId };
  const account = await world.operator('GET', '/v1/log?what=one', { headers });
  expect(account.body['items']).toHaveLength(1);
  const installation = await world.operator('GET', '/v1/log?what=one');
  expect(installation).toMatchObject({ status: 200, body: { items: [] } });
});
