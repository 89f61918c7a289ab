import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { carryOutForSlice } from '../../db/central/carry-out.ts';
import { stepCentral } from '../../db/central/step-central.ts';
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
afterEach(() => world.owner.query(`update refused_phrases set effective_to = '2026-01-01'`));
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
  /** Ends the central campaign as its last step does once every part is over. */
  readonly finish: () => Promise<void>;
  readonly centralStatus: () => Promise<string>;
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
    finish: async () => {
      const plan = await withAccount(world.db, parent.accountId, (trx) =>
        stepCentral(trx, {
          accountId: parent.accountId,
          campaignId: central,
          at: NOON,
          running: [],
          handing: 0,
          signals: [],
          asked: [],
        }),
      );
      expect(plan).toMatchObject({ kind: 'end', status: 'finished' });
    },
    centralStatus: async () => String((await parent.call('GET', `/v1/campaigns/${central}`)).body['status']),
  };
}

const LATER = { local: '2027-01-13T12:00', zone: 'America/New_York' };

function overrule(child: Tenant, part: string): Promise<Reply> {
  return world.operator('POST', `/v1/campaigns/${part}/overrule`, {
    body: {},
    headers: { 'carillon-account': child.accountId },
  });
}

async function statesOf(central: string): Promise<readonly unknown[]> {
  const { rows } = await world.owner.query<Record<string, unknown>>(
    'select state, reason from central_parts where central_id = $1 order by number',
    [central],
  );
  return rows;
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

  test('goes on under its central campaign, which was finished without it, so that its parent can pause it', async () => {
    const { central, seen, retry, withdraw, finish, centralStatus } = await reject('Reopened');
    await withdraw();
    await finish();
    expect(codeOf(await retry())).toBe('202');
    expect(await centralStatus()).toBe('started');
    expect(codeOf(await parent.call('POST', `/v1/campaigns/${central}/pause`))).toBe('202');
    expect(await seen()).toMatchObject({ state: 'paused', reason: { code: 'by_parent' } });
  });

  test('can be stopped by its parent after it has gone on, and given a new time, as what the end had not sent', async () => {
    const { central, retry, withdraw, finish } = await reject('Restarted');
    await withdraw();
    await finish();
    await retry();
    expect(codeOf(await parent.call('POST', `/v1/campaigns/${central}/stop`))).toBe('202');
    await world.owner.query(
      `update messages set status = 'cut' where campaign_id = $1 and status = 'sending'`,
      [central],
    );
    await world.owner.query(
      `update messages set status = 'cancelled' where campaign_id = $1 and status = 'scheduled'`,
      [central],
    );
    const { body } = await parent.call('GET', `/v1/campaigns/${central}`);
    const [message] = body['messages'] as readonly { readonly id: string }[];
    const messages = [{ messageId: message?.id, schedule: LATER }];
    const review = await parent.call('POST', `/v1/campaigns/${central}/review`, { body: { messages } });
    expect(review.body).toMatchObject({ refusals: [] });
  });

  test('is aborted when its account is disabled, as all that was not sent, and stays so when that is enabled', async () => {
    const { child, part, seen, retry, withdraw, finish, status, centralStatus } = await reject('Disabled');
    await withdraw();
    await finish();
    const path = `/v1/accounts/${child.accountId}`;
    await parent.call('POST', `${path}/disable`, { body: { reason: 'It has closed.' } });
    expect(await seen()).toMatchObject({ state: 'aborted', reason: { code: 'account_disabled' } });
    await parent.call('POST', `${path}/enable`, { body: {} });
    expect(await seen()).toMatchObject({ state: 'aborted', canRetry: false });
    expect(codeOf(await retry())).toBe('409 action-not-allowed');
    expect(codeOf(await overrule(child, part))).toBe('409 action-not-allowed');
    expect(await status()).toBe('aborted');
    expect(await centralStatus()).toBe('finished');
  });

  test('is aborted when its account leaves, and is not to be overruled then', async () => {
    const { child, part, status, seen } = await reject('Left');
    expect(codeOf(await child.call('POST', '/v1/account/leave-parent'))).toBe('200');
    expect(await status()).toBe('aborted');
    expect(await seen()).toMatchObject({ state: 'aborted', reason: { code: 'account_left' } });
    expect(codeOf(await overrule(child, part))).toBe('409 action-not-allowed');
  });

  test('that an operator overrules goes on under its central campaign, also one that was finished without it', async () => {
    const { child, central, part, seen, finish, status, centralStatus } = await reject('Overruled');
    await finish();
    expect(codeOf(await overrule(child, part))).toBe('202');
    expect(await status()).toBe('processing');
    expect(await seen()).toMatchObject({ state: 'handed_over', reason: null });
    expect(await centralStatus()).toBe('started');
    expect(world.asked).toContain(`wake central ${central}`);
    expect(codeOf(await parent.call('POST', `/v1/campaigns/${central}/pause`))).toBe('202');
    const log = await parent.call('GET', `/v1/campaigns/${central}/log`);
    expect(JSON.stringify(log.body)).toContain('overrule_account');
  });

  test('is not overruled once its parent has stopped, aborted or deleted the whole', async () => {
    const { child, part, central, status } = await reject('Ended');
    for (const name of ['stop', 'abort']) {
      await parent.call('POST', `/v1/campaigns/${central}/${name}`);
      expect(codeOf(await overrule(child, part))).toBe('409 action-not-allowed');
    }
    await parent.call('DELETE', `/v1/campaigns/${central}`);
    expect(codeOf(await overrule(child, part))).toBe('409 action-not-allowed');
    expect(await status()).toBe('rejected');
  });

  test.each([
    ['stop', 'stopped'],
    ['abort', 'aborted'],
    ['delete', 'aborted'],
  ])('is ended as well by the %s of its parent', async (name, state) => {
    const { central, part, child } = await reject(`Ended by ${name}`);
    const { accountId } = parent;
    const path = `/v1/campaigns/${central}`;
    await (name === 'delete' ? parent.call('DELETE', path) : parent.call('POST', `${path}/${name}`));
    const { rows } = await world.owner.query<{ id: string }>(
      'select id from actions where campaign_id = $1 and name = $2',
      [central, name],
    );
    const order = { accountId, campaignId: central, at: NOON, actionId: rows[0]?.id ?? '', slice: 0 };
    const woken: string[] = [];
    const runs = {
      wake: ({ campaignId }: { readonly campaignId: string }) => Promise.resolve(woken.push(campaignId)),
      poke: () => Promise.reject(new Error('Nothing is restarted.')),
    };
    expect(await carryOutForSlice(world.db, order, runs)).toBe(1);
    expect(woken).toEqual([part]);
    const [row] = await statesOf(central);
    expect(row).toEqual({ state, reason: 'by_parent' });
    const alerts = await child.call('GET', '/v1/alerts?state=open');
    expect(alerts.body['items']).toEqual([]);
  });
});
