import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { NOBODYS } from './route-table.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

async function told(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(world.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-plivo-signature-v2': 'Zm9yZ2Vk',
      'x-plivo-signature-v2-nonce': '1',
    },
    body: new URLSearchParams({ MessageUUID: 'u', To: '12125552001', From: '24365', Status: 'delivered' }),
  });
  const { instance: _instance, ...body } = (await response.json()) as Record<string, unknown>;
  return { status: response.status, body };
}

test('whoever forges a status report learns neither which accounts nor which posts there are', async () => {
  const mac = 'A'.repeat(43);
  const forged = await told(`/callbacks/plivo/${world.mine.accountId}/k1/202601-1-1/${mac}`);
  expect(forged.status).toBe(403);
  for (const path of [
    `/callbacks/plivo/acc_${NOBODYS}/k1/202601-1-1/${mac}`,
    `/callbacks/plivo/${world.mine.accountId}/k1/209901-999-7/${mac}`,
    `/callbacks/plivo/${world.mine.accountId}/k9/202601-1-1/${mac}`,
    '/callbacks/plivo/nobody/none/nothing/short',
  ]) {
    expect(await told(path), path).toEqual(forged);
  }
});

test('whoever forges a text of somebody learns not which carrier accounts there are', async () => {
  const known = await told('/callbacks/plivo/inbound/default');
  expect(known.status).toBe(403);
  expect(await told(`/callbacks/plivo/inbound/car_${NOBODYS}`)).toEqual(known);
});
