import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { create } from './seeded-things.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

const JSON_HEADERS = { 'content-type': 'application/json' };

describe('a request that says JSON and has no body', () => {
  it('deletes all the same, since many clients say so in each request', async () => {
    const contact = await create(world.mine.call, '/v1/contacts', { number: '+12125550142' });
    const reply = await world.mine.call('DELETE', `/v1/contacts/${contact}`, { headers: JSON_HEADERS });
    expect(reply.status).toBe(204);
  });

  it('creates nothing, and is told that its body is empty', async () => {
    const reply = await world.mine.call('POST', '/v1/contacts', { headers: JSON_HEADERS });
    expect(reply).toMatchObject({ status: 400, body: { code: 'malformed-request' } });
  });
});
