import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiWorld, openApiWorld } from './api-world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

describe('a method that a path does not take', () => {
  it.each([
    ['PUT', '/v1/account', 'GET, HEAD, PATCH'],
    ['OPTIONS', '/v1/campaigns', 'GET, HEAD, POST'],
    ['DELETE', '/health', 'GET, HEAD'],
    ['GET', '/v1/contacts/find', 'POST'],
    ['GET', '/v1/campaigns/cmp_00000000000000000000000000/recipients/find', 'POST'],
    ['GET', '/v1/campaigns/cmp_00000000000000000000000000/pause', 'POST'],
  ])('is refused with those that it takes: %s %s', async (method, path, allow) => {
    const reply = await world.mine.call(method, path);
    expect(reply).toMatchObject({ status: 405, body: { code: 'method-not-allowed' } });
    expect(reply.headers.get('allow')).toBe(allow);
  });

  it('is refused before its body is read, also when that is no JSON', async () => {
    const reply = await world.mine.call('PUT', '/v1/account', { body: '{', headers: {} });
    expect(reply.status).toBe(405);
  });

  it('is told from a path that does not exist', async () => {
    const reply = await world.mine.call('PUT', '/v1/nothing', { body: {} });
    expect(reply).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });
});
