import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AccountRoute, answerOf, routesOfAccounts } from './account-routes.ts';
import { type ApiWorld, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import {
  ALWAYS_FOR_PARENTS,
  NEVER_FOR_PARENTS,
  pathWith,
  ROUTE_CASES,
  WITH_GRANT_FOR_PARENTS,
} from './route-table.ts';
import { createThings, type Things } from './seeded-things.ts';

let world: ApiWorld;
let parent: Tenant;
let child: Tenant;
let things: Things;

function adopt(accountId: string, parentId: string): Promise<Reply> {
  return world.operator('PUT', `/v1/accounts/${accountId}/parent`, { body: { parentId } });
}

beforeAll(async () => {
  world = await openApiWorld();
  parent = world.mine;
  child = await world.openTenant();
  things = await createThings(child);
  await adopt(child.accountId, parent.accountId);
});
afterAll(() => world.close());

function ask(tenant: Tenant, route: AccountRoute): Promise<Reply> {
  return tenant.call(route.method, pathWith(route, things), {
    body: ROUTE_CASES[route.id]?.body?.(things),
    headers: { 'carillon-account': child.accountId },
  });
}

function setGrant(reports: boolean): Promise<Reply> {
  return child.call('PUT', '/v1/account/grants', { body: { reports } });
}

describe('a parent', () => {
  test('may do with a sub-account what stands in one of three tables, which hold every route', () => {
    const ids = routesOfAccounts(world.document).map(({ id }) => id);
    const tables = [...ALWAYS_FOR_PARENTS, ...WITH_GRANT_FOR_PARENTS, ...NEVER_FOR_PARENTS];
    expect(tables).toHaveLength(new Set(tables).size);
    expect(new Set(tables)).toEqual(new Set(ids));
  });

  test('is refused all that would say how a sub-account has fared, unless it has granted its reports', async () => {
    const before = await world.snapshot();
    const found: Record<string, string> = {};
    for (const route of routesOfAccounts(world.document)) {
      if (WITH_GRANT_FOR_PARENTS.includes(route.id)) found[route.id] = answerOf(await ask(parent, route));
    }
    expect(found).toEqual(Object.fromEntries(WITH_GRANT_FOR_PARENTS.map((id) => [id, '403 grant-missing'])));
    expect(await world.snapshot()).toEqual(before);
  });

  test('is refused what is the business of the sub-account itself, with the grant too', async () => {
    await setGrant(true);
    const before = await world.snapshot();
    const found: Record<string, string> = {};
    for (const route of routesOfAccounts(world.document)) {
      if (NEVER_FOR_PARENTS.includes(route.id)) found[route.id] = answerOf(await ask(parent, route));
    }
    expect(found).toEqual(Object.fromEntries(NEVER_FOR_PARENTS.map((id) => [id, '403 not-for-parents'])));
    expect(await world.snapshot()).toEqual(before);
    await setGrant(false);
  });

  test('reaches no account by any route that is not its own sub-account', async () => {
    const before = await world.snapshot();
    const found: Record<string, string> = {};
    for (const route of routesOfAccounts(world.document))
      found[route.id] = answerOf(await ask(world.theirs, route));
    expect(new Set(Object.values(found))).toEqual(new Set(['404 not-found']));
    // A sub-account is no parent of its parent either.
    const upwards = await child.call('GET', '/v1/account', {
      headers: { 'carillon-account': parent.accountId },
    });
    expect(upwards.status).toBe(404);
    expect(await world.snapshot()).toEqual(before);
  });

  test('manages senders, lists, contacts and settings, and sees what was granted as soon as it is', async () => {
    await setGrant(true);
    const found: Record<string, string> = {};
    for (const route of routesOfAccounts(world.document)) {
      if (NEVER_FOR_PARENTS.includes(route.id)) continue;
      const reply = await ask(parent, route);
      const isRefused = [401, 403, 404, 500, 503].includes(reply.status);
      if (isRefused) found[route.id] = answerOf(reply);
    }
    await setGrant(false);
    expect(found).toEqual({});
    const renamed = await child.call('GET', '/v1/account');
    expect(renamed.body).toMatchObject({ name: 'Renamed', parentId: parent.accountId });
  });

  test('needs the scope of the route, as everybody does', async () => {
    const call = await parent.withScopes(['read']);
    const headers = { 'carillon-account': child.accountId };
    const reply = await call('PATCH', '/v1/account', { body: { name: 'Other' }, headers });
    expect(answerOf(reply)).toBe('403 scope-missing');
  });

  test('is named in the log of the sub-account as the parent, and its people work for it alone', async () => {
    const headers = { 'carillon-account': child.accountId, 'carillon-person': parent.personId };
    const made = await parent.call('POST', '/v1/lists', { body: { name: 'From above' }, headers });
    expect(made.status).toBe(201);
    const log = await child.call('GET', `/v1/log?subjectId=${String(made.body['id'])}`);
    expect(log.body['items']).toMatchObject([
      { by: { id: parent.personId, kind: 'parent', name: null }, via: 'parent', what: 'create' },
    ]);
    const strangers = { 'carillon-account': child.accountId, 'carillon-person': child.personId };
    const refused = await parent.call('POST', '/v1/lists', { body: { name: 'Other' }, headers: strangers });
    expect(answerOf(refused)).toBe('422 unknown-reference');
  });

  test('is not told by a suppression whether its owner had opted out, nor by a quota what was sent', async () => {
    const headers = { 'carillon-account': child.accountId };
    await child.call('POST', '/v1/suppressions', { body: { number: '+12125552055', kind: 'opt_out' } });
    const answers = [];
    for (const number of ['+12125552055', '+12125552056']) {
      const body = { number, kind: 'opt_out' };
      const { status, body: answer } = await parent.call('POST', '/v1/suppressions', { body, headers });
      answers.push({ status, answer });
    }
    expect(answers[0]).toEqual({ status: 202, answer: { kind: 'opt_out', senderId: null } });
    expect(answers[1]).toEqual(answers[0]);
    const suppressed = await child.call('POST', '/v1/suppressions/find', {
      body: { number: '+12125552056' },
    });
    expect(suppressed.body['suppressedAs']).toBe('opt_out');
    const quota = { name: 'From above', dayUnits: 100 };
    const made = await parent.call('POST', '/v1/quotas', { body: quota, headers });
    expect(made.body).toMatchObject({ dayUnits: 100, unitsLeftToday: null });
  });

  test('sees no import of suppressions, which tells who has opted out, without the grant', async () => {
    const headers = { 'carillon-account': child.accountId };
    const made = await child.call('POST', '/v1/suppressions/imports', { body: { kind: 'opt_out' } });
    const path = `/v1/imports/${String(made.body['id'])}`;
    const askAll = async (): Promise<string[]> => {
      const paths = [path, `${path}/refusals`, `${path}/refusals.csv`];
      const answers = [];
      for (const one of paths) answers.push(answerOf(await parent.call('GET', one, { headers })));
      const { body } = await parent.call('GET', '/v1/imports', { headers });
      return [...answers, JSON.stringify(body).includes(String(made.body['id'])) ? 'listed' : 'not listed'];
    };
    expect(await askAll()).toEqual(['404 not-found', '404 not-found', '404 not-found', 'not listed']);
    await setGrant(true);
    expect(await askAll()).toEqual(['200', '200', '200', 'listed']);
    await setGrant(false);
  });

  test('hears no more of a sub-account once the grant is withdrawn, on streams that are open, too', async () => {
    await setGrant(true);
    const aborted = new AbortController();
    const response = await fetch(`${world.url}/v1/events`, {
      headers: { authorization: `Bearer ${parent.key}`, 'carillon-account': child.accountId },
      signal: aborted.signal,
    });
    expect(response.status).toBe(200);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain('event: ready');
    await setGrant(false);
    let told = '';
    for (;;) {
      const part = await reader?.read();
      if (part === undefined || part.done) break;
      told += part.value;
    }
    expect(told).not.toContain('withdraw_grant');
    aborted.abort();
  });
});
