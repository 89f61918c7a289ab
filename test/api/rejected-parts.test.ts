import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { type ApiWorld, NOON, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import { launchCentral } from './launched-central.ts';
import { create } from './seeded-things.ts';

let world: ApiWorld;
let parent: Tenant;

const codeOf = ({ status, body }: Reply): string =>
  status < 400 ? String(status) : `${status} ${String(body['code'])}`;

beforeAll(async () => {
  world = await openApiWorld();
  parent = await world.openTenant();
  const enabled = { body: { enabled: true } };
  await world.operator('PUT', `/v1/accounts/${parent.accountId}/central-send`, enabled);
});
afterAll(() => world.close());

/** A central campaign whose only part was rejected for a phrase that came to the list after the launch. */
interface Rejected {
  readonly child: Tenant;
  readonly central: string;
  readonly part: string;
  /** How the parent sees it. */
  readonly seen: () => Promise<Record<string, unknown>>;
  readonly retry: (body?: unknown) => Promise<Reply>;
  readonly withdraw: () => Promise<unknown>;
  readonly status: () => Promise<string>;
}

async function reject(name: string): Promise<Rejected> {
  const child = await world.openTenant();
  const { accountId } = child;
  await world.operator('PUT', `/v1/accounts/${accountId}/parent`, { body: { parentId: parent.accountId } });
  const central = await launchCentral(world, parent, [child], { name, dueAt: '2027-01-12T18:00' });
  const { body } = await child.call('GET', '/v1/campaigns?kind=central');
  const [found] = body['items'] as readonly { readonly id: string }[];
  const part = found?.id ?? '';
  const phrase = await create(world.operator, '/v1/refused-phrases', {
    phrase: 'hello',
    reason: 'It is too plain.',
    effectiveFrom: '2026-01-01',
  });
  const prepared = await withAccount(world.db, accountId, (trx) =>
    prepareCampaign(trx, { accountId, campaignId: part, at: NOON }),
  );
  expect(prepared).toEqual({ kind: 'rejected' });
  const accounts = `/v1/campaigns/${central}/accounts`;
  return {
    child,
    central,
    part,
    seen: async () => {
      const page = await parent.call('GET', accounts);
      return (page.body['items'] as readonly Record<string, unknown>[])[0] ?? {};
    },
    retry: (given) =>
      parent.call('POST', `${accounts}/${accountId}/retry`, given === undefined ? {} : { body: given }),
    withdraw: () => world.operator('DELETE', `/v1/refused-phrases/${phrase}`),
    status: async () => String((await child.call('GET', `/v1/campaigns/${part}`)).body['status']),
  };
}

describe('a part whose content is refused', () => {
  test('is not tried again while the phrase is in force, which the answer says, and its alert advises what may be done', async () => {
    const { child, central, seen, retry, withdraw, status } = await reject('Refused');
    expect(await seen()).toMatchObject({ state: 'rejected', reason: { code: 'content_refused' } });
    const { body } = await child.call('GET', '/v1/alerts?kind=content_rejected&state=open');
    const [alert] = body['items'] as readonly { readonly remedy: string }[];
    expect(alert?.remedy).toMatch(/ask the parent to try the account again, or an operator to overrule/);
    expect(alert?.remedy).not.toMatch(/edit|launch|duplicate/i);
    const refused = await retry();
    expect(refused).toMatchObject({
      status: 409,
      body: {
        code: 'cause-persists',
        cause: 'content_refused',
        detail: 'It contains “hello”: It is too plain.',
      },
    });
    expect(await status()).toBe('rejected');
    await withdraw();
    expect(codeOf(await retry())).toBe('202');
    expect(await status()).toBe('processing');
    expect(await seen()).toMatchObject({ state: 'handed_over', reason: null });
    expect((await parent.call('GET', `/v1/campaigns/${central}`)).body['status']).toBe('scheduled');
  });
});
