import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCOUNT_SCOPES } from '../../db/make-api-key.ts';
import { type ApiWorld, type Caller, openApiWorld, type Route, routesOf } from './api-world.ts';
import { NOBODYS, pathWith, ROUTE_CASES, type RouteCase } from './route-table.ts';
import { createThings, type Things } from './seeded-things.ts';

interface Guarded extends Route {
  readonly id: string;
  readonly guard: RouteCase;
}

let world: ApiWorld;
let mine: Things;
let theirs: Things;
let guarded: Guarded[];
/** Callers that have every scope but this one. */
const without = new Map<string, Caller>();

beforeAll(async () => {
  world = await openApiWorld();
  mine = await createThings(world.mine);
  theirs = await createThings(world.theirs);
  for (const lacked of ACCOUNT_SCOPES) {
    without.set(lacked, await world.mine.withScopes(ACCOUNT_SCOPES.filter((scope) => scope !== lacked)));
  }
  guarded = routesOf(world.document).flatMap((route) => {
    const id = route.operation.operationId ?? '';
    const guard = ROUTE_CASES[id];
    return guard === undefined ? [] : [{ ...route, id, guard }];
  });
});
afterAll(() => world.close());

/** Asks each of these routes and returns what they gave beside what they should have given; nothing may change. */
async function compare(
  routes: readonly Guarded[],
  wanted: (route: Guarded) => string,
  got: (route: Guarded) => Promise<string>,
): Promise<{ readonly found: string[]; readonly wanted: string[] }> {
  expect(routes.length).toBeGreaterThan(0);
  const before = await world.snapshot();
  const found: string[] = [];
  for (const route of routes) found.push(`${route.id}: ${await got(route)}`);
  expect(await world.snapshot()).toEqual(before);
  return { found, wanted: routes.map((route) => `${route.id}: ${wanted(route)}`) };
}

describe('every route', () => {
  test('stands in the table with what guards it', () => {
    const ids = routesOf(world.document).map((route) => route.operation.operationId ?? 'none');
    expect(ids).toHaveLength(new Set(ids).size);
    expect(new Set(ids)).toEqual(new Set(Object.keys(ROUTE_CASES)));
  });

  test('whose path names something answers 404 for what another account owns, and changes nothing', async () => {
    const { found, wanted } = await compare(
      guarded.filter(({ guard }) => guard.ids !== undefined),
      () => '404 not-found',
      async (route) => {
        const call = route.guard.operatorOnly === true ? world.operator : world.mine.call;
        const { status, body } = await call(route.method, pathWith(route, theirs), {
          body: bodyOf(route, theirs),
          headers: { 'carillon-account': world.mine.accountId },
        });
        return `${status} ${String(body['code'])}`;
      },
    );
    expect(found).toEqual(wanted);
  });

  test('that reads one thing answers 200 to the account that owns it', async () => {
    const { found, wanted } = await compare(
      guarded.filter(({ guard, method }) => method === 'GET' && guard.ids !== undefined),
      () => '200',
      async (route) => String((await world.theirs.call('GET', pathWith(route, theirs))).status),
    );
    expect(found).toEqual(wanted);
  });

  test("answers the same for another account's id as for one that nobody has", async () => {
    const nobodys = Object.fromEntries(
      Object.entries(theirs).map(([kind, id]) => [
        kind,
        kind === 'recipient'
          ? '2000000000'
          : kind === 'contact' || kind === 'suppression'
            ? `${id.slice(0, 4)}1zzzzzzzzzzzz`
            : `${id.slice(0, 4)}${NOBODYS}`,
      ]),
    ) as unknown as Things;
    for (const route of guarded.filter(({ guard }) => guard.ids !== undefined)) {
      const ask = (things: Things) =>
        world.mine.call(route.method, pathWith(route, things), { body: bodyOf(route, things) });
      const [foreign, unknown] = [await ask(theirs), await ask(nobodys)];
      expect({ id: route.id, status: foreign.status, body: foreign.body }).toEqual({
        id: route.id,
        status: unknown.status,
        body: unknown.body,
      });
    }
  });

  test('that lists something shows nothing of another account', async () => {
    const lists = guarded.filter(
      ({ guard, method }) =>
        method === 'GET' && guard.ids === undefined && (guard.scope === 'read' || guard.scope === 'reports'),
    );
    const { found, wanted } = await compare(
      lists,
      () => '200 none',
      async (route) => {
        const { status, body } = await world.mine.call('GET', pathWith(route, mine));
        const text = JSON.stringify(body);
        // A recipient's id is his place in the audience, which is nobody's in particular.
        const { recipient: _place, ...named } = theirs;
        const seen = [...Object.values(named), world.theirs.accountId].filter((id) => text.includes(id));
        return `${status} ${seen.length === 0 ? 'none' : seen.join()}`;
      },
    );
    expect(found).toEqual(wanted);
  });

  test('but the public ones answers 401 without a key, and with a key that does not exist', async () => {
    const wrong = { authorization: `Bearer crl_aaaaaaaaaaaa_${'A'.repeat(43)}` };
    const { found, wanted } = await compare(
      guarded.filter(({ guard }) => guard.scope !== 'public'),
      () => '401 unauthenticated 401 unauthenticated',
      async (route) => {
        const answers = [];
        for (const headers of [{}, wrong]) {
          const body = bodyOf(route, mine);
          const reply = await world.anonymous(route.method, pathWith(route, mine), { body, headers });
          answers.push(`${reply.status} ${String(reply.body['code'])}`);
        }
        return answers.join(' ');
      },
    );
    expect(found).toEqual(wanted);
  });

  test('of an account answers 403 to a key without the scope, and names the scope', async () => {
    const { found, wanted } = await compare(
      guarded.filter(({ guard }) => guard.scope !== 'public' && guard.scope !== 'operator'),
      ({ guard }) => `403 scope-missing "${guard.scope}"`,
      async (route) => {
        const call = without.get(route.guard.scope) ?? world.anonymous;
        const { status, body } = await call(route.method, pathWith(route, mine), {
          body: bodyOf(route, mine),
        });
        return `${status} ${String(body['code'])} ${namedScope(body)}`;
      },
    );
    expect(found).toEqual(wanted);
  });

  test('of the installation refuses the key of an account, whatever its scopes', async () => {
    const { found, wanted } = await compare(
      guarded.filter(({ guard }) => guard.scope === 'operator' || guard.operatorOnly === true),
      () => '403 scope-missing',
      async (route) => {
        const { status, body } = await world.mine.call(route.method, pathWith(route, mine), {
          body: bodyOf(route, mine),
        });
        return `${status} ${String(body['code'])}`;
      },
    );
    expect(found).toEqual(wanted);
  });
});

test("a reference to another account's thing in a body or a query is refused as one that does not exist", async () => {
  const before = await world.snapshot();
  const references: readonly [string, string, unknown, string][] = [
    ['POST', '/v1/campaigns', { senderId: theirs.sender }, '422 /senderId'],
    ['POST', '/v1/campaigns', { ownerId: theirs.person }, '422 /ownerId'],
    ['POST', '/v1/campaigns', { listIds: [mine.list, theirs.list] }, '422 /listIds/1'],
    ['POST', '/v1/campaigns', { excludedListIds: [theirs.list] }, '422 /excludedListIds/0'],
    ['PATCH', `/v1/campaigns/${mine.campaign}`, { senderId: theirs.sender }, '422 /senderId'],
    ['POST', `/v1/campaigns/${mine.campaign}/messages`, { mediaIds: [theirs.media] }, '422 /mediaIds/0'],
    ['POST', `/v1/lists/${mine.list}/members`, { contactIds: [theirs.contact] }, '422 /contactIds/0'],
    ['POST', '/v1/imports', { listIds: [theirs.list] }, '422 /listIds/0'],
    [
      'POST',
      '/v1/suppressions',
      { number: '+12125552001', kind: 'manual', senderId: theirs.sender },
      '422 /senderId',
    ],
    [
      'POST',
      `/v1/campaigns/${mine.campaign}/messages/${mine.message}/preview`,
      { contactId: theirs.contact },
      '422 /contactId',
    ],
    ['PATCH', `/v1/campaigns/${mine.campaign}/messages/${theirs.message}`, { text: 'x' }, '404'],
    ['DELETE', `/v1/lists/${mine.list}/members/${theirs.contact}`, undefined, '404'],
    ['GET', `/v1/campaigns/${mine.launched}/actions/${theirs.action}`, undefined, '404'],
    ['GET', `/v1/campaigns/${mine.launched}/recipients?messageId=${theirs.message}`, undefined, '404'],
    ['GET', `/v1/contacts?listId=${theirs.list}`, undefined, '404'],
  ];
  const found: unknown[] = [];
  for (const [method, path, body] of references) {
    const reply = await world.mine.call(method, path, { body });
    const [first] = (reply.body['errors'] ?? []) as readonly { readonly pointer: string }[];
    found.push([method, path, body, [reply.status, first?.pointer].join(' ').trim()]);
  }
  expect(found).toEqual(references.map((reference) => [...reference]));
  const filtered = await world.mine.call('GET', `/v1/campaigns?senderId=${theirs.sender}`);
  expect(filtered.body).toMatchObject({ items: [], total: 0 });
  expect(await world.snapshot()).toEqual(before);
});

test('nobody acts for another account, nor as one of its people', async () => {
  const before = await world.snapshot();
  const account = await world.mine.call('GET', '/v1/account', {
    headers: { 'carillon-account': world.theirs.accountId },
  });
  expect(account.status).toBe(404);
  const person = await world.mine.call('POST', '/v1/campaigns', {
    body: {},
    headers: { 'carillon-person': theirs.person },
  });
  expect(person).toMatchObject({ status: 422, body: { code: 'unknown-reference' } });
  expect(await world.snapshot()).toEqual(before);
});

test('a key makes no key that may do more than itself', async () => {
  const call = await world.mine.withScopes(['write']);
  const before = await world.snapshot();
  const reply = await call('POST', '/v1/keys', { body: { name: 'More', scopes: ['write', 'send'] } });
  expect(reply).toMatchObject({ status: 403, body: { code: 'scope-missing' } });
  expect(String(reply.body['detail'])).toContain('"send"');
  expect(await world.snapshot()).toEqual(before);
});

test('a callback that the carrier has not signed is refused and changes nothing', async () => {
  const before = await world.snapshot();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const path of [
    '/callbacks/plivo/inbound/default',
    `/callbacks/plivo/inbound/${world.mine.carrierAccountId}`,
    `/callbacks/plivo/${world.mine.accountId}/k1/2027-01-01.1.1/AAAA`,
  ]) {
    const body = 'From=12125552001&To=12345&Text=STOP&MessageUUID=a&Status=delivered';
    expect((await world.anonymous('POST', path, { body, headers })).status).toBe(403);
  }
  expect(await world.snapshot()).toEqual(before);
});

function bodyOf(route: Guarded, things: Things): unknown {
  if (route.id === 'putImportContent') return 'number\n+12125552003\n';
  return route.guard.body?.(things);
}

function namedScope(body: Readonly<Record<string, unknown>>): string {
  return /"\w+"/.exec(String(body['detail']))?.[0] ?? 'none';
}
