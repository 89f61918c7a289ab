import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setCentralSend } from '../presets/franchise.ts';
import { type AccountRoute, answerOf, routesOfAccounts } from './account-routes.ts';
import { type ApiWorld, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import { launchCentral } from './launched-central.ts';
import { ALWAYS_FOR_PARENTS, pathWith, ROUTE_CASES } from './route-table.ts';
import { create, createThings, type Things } from './seeded-things.ts';
import { SHOWN_TO_PARENTS } from './shown-to-parents.ts';

interface Child {
  readonly tenant: Tenant;
  readonly things: Things;
  /** A list that nothing uses. */
  readonly spareList: string;
}

let world: ApiWorld;
let parent: Tenant;
/** Two sub-accounts with the same things, of which one has granted its reports, and one with a part of a campaign. */
let closed: Child;
let granting: Child;
let sending: Child;

beforeAll(async () => {
  world = await openApiWorld();
  parent = world.mine;
  await setCentralSend(world, parent, true);
  closed = await openChild(world.theirs);
  granting = await openChild(await world.openTenant());
  sending = await openChild(await world.openTenant());
  await granting.tenant.call('PUT', '/v1/account/grants', { body: { reports: true } });
});
afterAll(() => world.close());

async function openChild(tenant: Tenant): Promise<Child> {
  const things = await createThings(tenant);
  const spareList = await create(tenant.call, '/v1/lists', { name: 'Spare' });
  await world.owner.query(
    `insert into import_refusals (account_id, import_id, line, reason, field, raw)
     values ($1, $2, 3, 'invalid_number', 'number', '12')`,
    [tenant.accountId, things.import],
  );
  const body = { parentId: parent.accountId };
  await world.operator('PUT', `/v1/accounts/${tenant.accountId}/parent`, { body });
  return { tenant, things, spareList };
}

function ask(route: AccountRoute, things: Things, headers: Record<string, string> = {}): Promise<Reply> {
  const path = pathWith(route, things);
  // Its body is a file.
  if (route.id === 'putImportContent') {
    const body = 'number\n+12125552003\n';
    return parent.call(route.method, path, { body, headers: { ...headers, 'content-type': 'text/csv' } });
  }
  return parent.call(route.method, path, { body: ROUTE_CASES[route.id]?.body?.(things), headers });
}

/** With the parent's key, in the name of the child. */
function askOf({ tenant, things, spareList }: Child, route: AccountRoute): Promise<Reply> {
  const headers = { 'carillon-account': tenant.accountId };
  // The other list waits for an import.
  if (route.id === 'deleteList') return ask(route, { ...things, list: spareList }, headers);
  if (route.id !== 'createSender') return ask(route, things, headers);
  // A number of the carrier account belongs to one account.
  const body = { address: tenant === closed.tenant ? '54321' : '54322', type: 'short_code' };
  return parent.call(route.method, route.path, { body, headers });
}

/** Every key of an answer, with the values that it has there. */
function valuesIn(value: unknown, path: string, found: Map<string, unknown[]>): Map<string, unknown[]> {
  if (Array.isArray(value)) for (const item of value) valuesIn(item, `${path}[]`, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      const own = path === '' ? key : `${path}.${key}`;
      found.set(own, [...(found.get(own) ?? []), inner]);
      valuesIn(inner, own, found);
    }
  }
  return found;
}

function shownBy({ body, type }: Reply): ReadonlyMap<string, readonly unknown[]> {
  if (type.includes('json')) return valuesIn(body, '', new Map());
  const { text } = body;
  const [head = ''] = typeof text === 'string' ? text.split('\n') : [];
  return new Map(head === '' ? [] : head.split(',').map((column) => [column, []]));
}

interface Answers {
  readonly id: string;
  readonly ofClosed: Reply;
  readonly ofGranting: Reply;
}

describe('what a parent may always do with a sub-account', () => {
  let answers: readonly Answers[];

  beforeAll(async () => {
    const asked: Answers[] = [];
    for (const route of routesOfAccounts(world.document)) {
      if (!ALWAYS_FOR_PARENTS.includes(route.id)) continue;
      const ofClosed = await askOf(closed, route);
      asked.push({ id: route.id, ofClosed, ofGranting: await askOf(granting, route) });
    }
    answers = asked;
  });

  test('it does with the grant and without, by every route', () => {
    const refused = answers.flatMap(({ id, ofClosed, ofGranting }) =>
      [ofClosed, ofGranting].flatMap((reply) => (reply.status < 300 ? [] : [`${id}: ${answerOf(reply)}`])),
    );
    expect(refused).toEqual([]);
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set(ALWAYS_FOR_PARENTS));
  });

  test('shows it what the table says and nothing more, with the grant and without', () => {
    const keysBy = (of: (answer: Answers) => readonly string[]) =>
      Object.fromEntries(answers.map((answer) => [answer.id, of(answer).toSorted()]));
    expect(keysBy(({ ofClosed }) => [...shownBy(ofClosed).keys()])).toEqual(
      keysBy(({ id }) => SHOWN_TO_PARENTS[id]?.keys ?? []),
    );
    expect(keysBy(({ ofGranting }) => [...shownBy(ofGranting).keys()])).toEqual(
      keysBy(({ id }) => SHOWN_TO_PARENTS[id]?.keysWithGrant ?? SHOWN_TO_PARENTS[id]?.keys ?? []),
    );
    expect(new Set(Object.keys(SHOWN_TO_PARENTS))).toEqual(new Set(ALWAYS_FOR_PARENTS));
  });

  test('shows it no figure of what was sent until that is granted', () => {
    const hidden = answers.flatMap(({ id, ofClosed, ofGranting }) =>
      (SHOWN_TO_PARENTS[id]?.hidden ?? []).map((key) => ({
        key: `${id} ${key}`,
        before: shownBy(ofClosed).get(key),
        after: shownBy(ofGranting).get(key),
      })),
    );
    expect(hidden.length).toBeGreaterThan(0);
    for (const { key, before = [], after = [] } of hidden) {
      expect([key, before.every((value) => value === null)]).toEqual([key, true]);
      expect([key, after.some((value) => typeof value === 'number')]).toEqual([key, true]);
    }
  });
});

describe("with the parent's own key, and no account named", () => {
  /** What concerns an account by its id is the parent's own affair, and what is an operator's is refused before. */
  const OTHERS = ['disableAccount', 'enableAccount', 'overruleCampaign'];

  test('nothing of a sub-account is found, and no part of a central campaign by any route', async () => {
    const { tenant, things } = sending;
    const central = await launchCentral(world, parent, [tenant], {
      name: 'To all',
      dueAt: '2027-01-12T18:00',
    });
    const { body: listed } = await parent.call('GET', `/v1/campaigns/${central}/accounts`);
    const [part] = listed['items'] as readonly { readonly campaignId: string }[];
    const { body: own } = await tenant.call('GET', `/v1/campaigns/${part?.campaignId}`);
    const [message] = own['messages'] as readonly { readonly id: string }[];
    if (part === undefined || message === undefined) throw new Error('The part was not made.');
    await tenant.freeze(part.campaignId);
    const ofPart: Things = {
      ...things,
      campaign: part.campaignId,
      launched: part.campaignId,
      central: part.campaignId,
      message: message.id,
      launchedMessage: message.id,
    };
    const routes = routesOfAccounts(world.document).filter(
      ({ id }) => ROUTE_CASES[id]?.ids !== undefined && !OTHERS.includes(id),
    );
    const ofCampaigns = routes.filter(({ path }) => path.startsWith('/v1/campaigns/{id}'));
    expect(ofCampaigns.length).toBeGreaterThan(30);

    const before = await world.snapshot();
    const found: string[] = [];
    for (const route of routes) found.push(`${route.id}: ${answerOf(await ask(route, things))}`);
    for (const route of ofCampaigns) found.push(`${route.id}: ${answerOf(await ask(route, ofPart))}`);
    expect(found.filter((line) => !line.endsWith(': 404 not-found'))).toEqual([]);
    expect(await world.snapshot()).toEqual(before);
  });
});
