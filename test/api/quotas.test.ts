import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockWaiters } from '../support/lock-waiters.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

const call: ApiWorld['mine']['call'] = (...request) => world.mine.call(...request);

describe('quotas', () => {
  it('belong to the account, say what is left today, and are named by senders', async () => {
    const made = await call('POST', '/v1/quotas', {
      body: { name: 'Brand', dayUnits: 2_000, sharePercent: 40 },
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      rateUnits: null,
      ratePeriod: 'second',
      resetZone: 'America/Los_Angeles',
      unitsLeftToday: 5_000,
    });
    expect(String(made.body['resetsAt'])).toMatch(/T00:00:00-0[78]:00$/);
    const { id } = made.body;
    const sender = `/v1/senders/${world.mine.senderId}`;
    const named = await call('PATCH', sender, { body: { quotaIds: [id] } });
    expect(named.body).toMatchObject({ quotaIds: [id] });
    expect((await call('GET', '/v1/quotas?q=bra')).body).toMatchObject({ total: 1, items: [{ id }] });
    expect((await call('DELETE', `/v1/quotas/${String(id)}`)).status).toBe(204);
    expect((await call('GET', sender)).body).toMatchObject({ quotaIds: [] });
  });

  it('are refused with an unknown zone, a name that is taken, and as those of another account', async () => {
    await call('POST', '/v1/quotas', {
      body: { name: 'Carrier campaign', rateUnits: 240, ratePeriod: 'minute' },
    });
    const zone = await call('POST', '/v1/quotas', { body: { name: 'Mars', resetZone: 'Mars/Olympus' } });
    expect(zone).toMatchObject({ status: 422, body: { code: 'not-acceptable-value' } });
    const taken = await call('POST', '/v1/quotas', { body: { name: 'CARRIER campaign' } });
    expect(taken).toMatchObject({ status: 409, body: { code: 'name-taken' } });
    const theirs = await world.theirs.call('POST', '/v1/quotas', { body: { name: 'Theirs' } });
    const sender = await call('PATCH', `/v1/senders/${world.mine.senderId}`, {
      body: { quotaIds: [theirs.body['id']] },
    });
    expect(sender).toMatchObject({ status: 422, body: { errors: [{ pointer: '/quotaIds/0' }] } });
  });

  it('that are deleted while a sender names them are refused as those that do not exist', async () => {
    const { body } = await call('POST', '/v1/quotas', { body: { name: 'Going' } });
    await world.owner.query('begin');
    await world.owner.query('delete from quotas where id = $1', [body['id']]);
    const naming = call('PATCH', `/v1/senders/${world.mine.senderId}`, { body: { quotaIds: [body['id']] } });
    await lockWaiters(world.owner, 1);
    await world.owner.query('commit');
    expect(await naming).toMatchObject({ status: 422, body: { code: 'unknown-reference' } });
  });
});
