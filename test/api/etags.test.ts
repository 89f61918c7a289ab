import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiWorld, type Caller, openApiWorld, type Reply, type Route, routesOf } from './api-world.ts';
import { pathWith, ROUTE_CASES } from './route-table.ts';
import { create, createPair, createThings, type Things } from './seeded-things.ts';

/** What is told about a thing beside the thing itself: none of it can be changed. */
const NOT_SINGLE =
  /^(list|export|download|follow|read)[A-Z]|^(getAction|getRecipient|getMedia|serveMedia|receive\w+)$/;
/** Routes that name a thing and leave it as it is. */
const LEAVES_IT = [
  'previewMessage',
  'duplicateCampaign',
  'reviewCampaign',
  'findRecipient',
  'testMessage',
  'receiveStatus',
  'receiveInbound',
];

let world: ApiWorld;
let things: Things;
/** What operators keep, by its route; an account is a sub-account of mine, since its parent disables it, too. */
let operators: Readonly<Record<string, string>>;
let routes: Route[];

beforeAll(async () => {
  world = await openApiWorld();
  things = await createThings(world.mine);
  await world.operator('PUT', `/v1/accounts/${world.mine.accountId}/central-send`, {
    body: { enabled: true },
  });
  const carrier = { name: 'Second', authId: 'MA1', authToken: 'secret' };
  const phrase = { phrase: 'sure win', reason: 'It promises.', effectiveFrom: '2026-01-01' };
  operators = {
    '/v1/accounts': (await createPair(world.mine)).accountId,
    '/v1/operator-keys': await create(world.operator, '/v1/operator-keys', { name: 'Second' }),
    '/v1/carrier-accounts': await create(world.operator, '/v1/carrier-accounts', carrier),
    '/v1/refused-phrases': await create(world.operator, '/v1/refused-phrases', phrase),
  };
  routes = routesOf(world.document);
});
afterAll(() => world.close());

const idOf = (route: Route): string => route.operation.operationId ?? '';
const isSingle = (route: Route): boolean => route.path.includes('{') || route.path === '/v1/account';

function isOperators(route: Route): boolean {
  const guard = ROUTE_CASES[idOf(route)];
  return guard?.scope === 'operator' || guard?.operatorOnly === true;
}

function pathOf(route: Route): string {
  const [base = ''] = route.path.split('/{');
  const id = operators[base];
  return id === undefined ? pathWith(route, things) : route.path.replace('{id}', id);
}

function send(route: Route, ifMatch: string, call?: Caller): Promise<Reply> {
  const guard = ROUTE_CASES[idOf(route)];
  const isInstallations = guard?.scope === 'operator';
  const body = idOf(route) === 'putImportContent' ? 'number\n+12125552003\n' : guard?.body?.(things);
  return (call ?? (isOperators(route) ? world.operator : world.mine.call))(route.method, pathOf(route), {
    body,
    headers: {
      'if-match': ifMatch,
      ...(isOperators(route) && !isInstallations ? { 'carillon-account': world.mine.accountId } : {}),
    },
  });
}

describe('an ETag', () => {
  test('comes with every single thing that can be changed', async () => {
    const single = routes.filter(
      (route) => route.method === 'GET' && isSingle(route) && !NOT_SINGLE.test(idOf(route)),
    );
    expect(single.length).toBeGreaterThan(12);
    const found: unknown[] = [];
    for (const route of single) {
      const call = isOperators(route) ? world.operator : world.mine.call;
      const { status, headers } = await call('GET', pathOf(route));
      found.push([idOf(route), status, /^"\d+"$/.test(headers.get('etag') ?? '')]);
    }
    expect(found).toEqual(single.map((route) => [idOf(route), 200, true]));
  });

  test('that is old keeps every change, replacement, removal and action from having any effect', async () => {
    const changing = routes.filter(
      (route) =>
        route.method !== 'GET' &&
        isSingle(route) &&
        !LEAVES_IT.includes(idOf(route)) &&
        ROUTE_CASES[idOf(route)]?.scope !== 'public',
    );
    expect(changing.length).toBeGreaterThan(35);
    const before = await world.snapshot();
    const asked = world.asked.length;
    const found: unknown[] = [];
    for (const route of changing) {
      const { status, body } = await send(route, '"0"');
      found.push([idOf(route), status, body['code'], '412' in (route.operation.responses ?? {})]);
    }
    expect(found).toEqual(changing.map((route) => [idOf(route), 412, 'version-mismatch', true]));
    expect(await world.snapshot()).toEqual(before);
    expect(world.asked).toHaveLength(asked);
  });
});

/** In an order in which each is allowed: what the thing is read from, and the route that two send at once. */
const AT_ONCE: readonly (readonly [read: string, change: string])[] = [
  ['getAccount', 'updateAccount'],
  ['getPerson', 'updatePerson'],
  ['getKey', 'updateKey'],
  ['getKey', 'rotateKey'],
  ['getOperatorKey', 'updateOperatorKey'],
  ['getOperatorKey', 'rotateOperatorKey'],
  ['getCarrierAccount', 'updateCarrierAccount'],
  ['getSender', 'updateSender'],
  ['getContact', 'updateContact'],
  ['getList', 'updateList'],
  ['getList', 'addListMembers'],
  ['getList', 'removeListMember'],
  ['getImport', 'putImportContent'],
  ['getCampaign', 'updateCampaign'],
  ['getCampaign', 'addMessage'],
  ['getCampaign', 'updateMessage'],
  ['getCampaign', 'archiveCampaign'],
  ['getCampaign', 'unarchiveCampaign'],
  ['getCampaign', 'deleteMessage'],
  ['getCampaign', 'pauseCampaign'],
  ['getCampaign', 'resumeCampaign'],
  ['getCampaign', 'stopCampaign'],
  ['getCampaign', 'abortCampaign'],
  ['getCampaign', 'deleteCampaign'],
  ['getKey', 'revokeKey'],
  ['getOperatorKey', 'revokeOperatorKey'],
  ['getRefusedPhrase', 'removeRefusedPhrase'],
  ['getContact', 'deleteContact'],
  ['getPreset', 'updatePreset'],
  ['getPreset', 'deletePreset'],
];

test.each(AT_ONCE)(
  'of two who have read the same %s and send %s at once exactly one has his way',
  async (reading, changing) => {
    const [read, change] = [reading, changing].map((id) => routes.find((route) => idOf(route) === id));
    if (read === undefined || change === undefined) throw new Error('There is no such route.');
    // An action is ordered on the campaign that was launched, everything else on the draft.
    const path = reading === 'getCampaign' ? `/v1/campaigns/${pathOf(change).split('/')[3]}` : pathOf(read);
    const call = isOperators(read) ? world.operator : world.mine.call;
    const seen = (await call('GET', path)).headers.get('etag') ?? '';
    expect(seen).toMatch(/^"\d+"$/);
    const replies = await Promise.all([send(change, seen), send(change, seen)]);
    const won = replies.filter(({ status }) => status < 300);
    const lost = replies.filter(({ status }) => status >= 300);
    expect([changing, won.length, lost.length]).toEqual([changing, 1, 1]);
    // What the first has removed is not there any more for the second.
    expect([404, 409, 412]).toContain(lost[0]?.status);
    const after = await call('GET', path);
    expect(after.headers.get('etag')).not.toBe(seen);
  },
);
