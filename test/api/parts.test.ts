import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { type ApiWorld, NOON, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import { createRejectedPart, launchCentral } from './launched-central.ts';
import { create } from './seeded-things.ts';

let world: ApiWorld;
let parent: Tenant;
let child: Tenant;
/** The part of the child's, and its message. */
let part: string;
let message: string;
let central: string;

const codeOf = ({ status, body }: Reply): string =>
  status < 400 ? String(status) : `${status} ${String(body['code'])}`;

beforeAll(async () => {
  world = await openApiWorld();
  parent = await world.openTenant();
  child = await world.openTenant();
  const enabled = { body: { enabled: true } };
  await world.operator('PUT', `/v1/accounts/${parent.accountId}/central-send`, enabled);
  const joined = { body: { parentId: parent.accountId } };
  await world.operator('PUT', `/v1/accounts/${child.accountId}/parent`, joined);
  central = await launchCentral(world, parent, [child], { name: 'All', dueAt: '2027-01-12T18:00' });
  const { body } = await child.call('GET', '/v1/campaigns?kind=central');
  const [found] = body['items'] as readonly { readonly id: string }[];
  if (found === undefined) throw new Error('The part was not made.');
  part = found.id;
  const read = await child.call('GET', `/v1/campaigns/${part}`);
  message = (read.body['messages'] as readonly { readonly id: string }[])[0]?.id ?? '';
});
afterAll(() => world.close());

describe('a part of a central campaign, in its sub-account', () => {
  test('is one of its campaigns, marked as sent by the parent, with a report of its own', async () => {
    const { body } = await child.call('GET', `/v1/campaigns/${part}`);
    expect(body).toMatchObject({
      kind: 'central',
      central: null,
      sentBy: { accountId: parent.accountId },
      report: { recipients: 0 },
    });
  });

  test('is edited by its parent alone', async () => {
    await create(child.call, '/v1/test-numbers', { number: '+12125552190' });
    const path = `/v1/campaigns/${part}`;
    const one = `${path}/messages/${message}`;
    const tries: readonly (readonly [string, string, unknown])[] = [
      ['PATCH', path, { name: 'Renamed' }],
      ['PATCH', path, { listIds: [] }],
      ['PATCH', one, { text: 'Changed' }],
      ['PATCH', one, { expiresAfterMs: 60_000 }],
      ['DELETE', one, undefined],
      ['POST', `${path}/messages`, { text: 'One more' }],
      ['POST', `${path}/reschedule`, { messages: [{ messageId: message, schedule: LATER }] }],
      ['POST', `${path}/stop`, {}],
      ['POST', `${path}/withdraw`, {}],
      ['POST', `${path}/duplicate`, undefined],
      ['POST', `${one}/test`, {}],
    ];
    const before = await world.snapshot();
    const answers: string[] = [];
    for (const [method, to, body] of tries) {
      const reply = await child.call(method, to, body === undefined ? {} : { body });
      answers.push(
        `${method} ${to.replaceAll(part, 'part').replaceAll(message, 'message')}: ${codeOf(reply)}`,
      );
      expect(String(reply.body['detail'])).not.toContain('undefined');
    }
    expect(answers).toEqual([
      'PATCH /v1/campaigns/part: 409 details-locked',
      'PATCH /v1/campaigns/part: 409 details-locked',
      'PATCH /v1/campaigns/part/messages/message: 409 details-locked',
      'PATCH /v1/campaigns/part/messages/message: 409 details-locked',
      'DELETE /v1/campaigns/part/messages/message: 409 details-locked',
      'POST /v1/campaigns/part/messages: 409 details-locked',
      'POST /v1/campaigns/part/reschedule: 409 action-not-allowed',
      'POST /v1/campaigns/part/stop: 409 action-not-allowed',
      'POST /v1/campaigns/part/withdraw: 409 action-not-allowed',
      'POST /v1/campaigns/part/duplicate: 409 not-interchangeable',
      'POST /v1/campaigns/part/messages/message/test: 409 action-not-allowed',
    ]);
    expect(await world.snapshot()).toEqual(before);
  });

  test('is paused by its own people, which the parent sees and does not undo, and aborted by them', async () => {
    const paused = await child.call('POST', `/v1/campaigns/${part}/pause`, {
      body: { reason: 'Not today.' },
    });
    expect(paused).toMatchObject({ status: 202, body: { inFlight: 0, accounts: null } });
    const seen = async () => {
      const { body } = await parent.call('GET', `/v1/campaigns/${central}/accounts`);
      return (body['items'] as readonly unknown[])[0];
    };
    expect(await seen()).toMatchObject({ state: 'paused', reason: { code: 'by_account' } });
    expect(JSON.stringify(await seen())).not.toContain('Not today.');
    const aborted = await child.call('POST', `/v1/campaigns/${part}/abort`);
    expect(aborted.status).toBe(202);
    expect(await seen()).toMatchObject({ state: 'aborted', reason: { code: 'by_account' } });
  });
});

describe('what a part is sent from', () => {
  test("is its account's default sender, and the oldest that may send where none is named", async () => {
    const oldest = child.senderId;
    const later = await create(child.call, '/v1/senders', {
      address: '54399',
      type: 'short_code',
      registration: 'approved',
      carrierAccountId: child.carrierAccountId,
    });
    const senderOf = async (name: string): Promise<unknown> => {
      const id = await launchCentral(world, parent, [child], { name });
      const { rows } = await world.owner.query<{ id: string }>(
        'select id from campaigns where central_id = $1',
        [id],
      );
      const campaignId = rows[0]?.id ?? '';
      const { accountId } = child;
      await withAccount(world.db, accountId, (trx) =>
        prepareCampaign(trx, { accountId, campaignId, at: NOON }),
      );
      return (await child.call('GET', `/v1/campaigns/${campaignId}`)).body['senderId'];
    };
    expect(await senderOf('From the oldest')).toBe(oldest);
    const chosen = { body: { defaultSenderId: later } };
    expect((await child.call('PATCH', '/v1/account', chosen)).body['defaultSenderId']).toBe(later);
    expect(await senderOf('From the default')).toBe(later);
    await child.call('PATCH', `/v1/senders/${later}`, { body: { registration: 'lapsed' } });
    expect(await senderOf('From the oldest again')).toBe(oldest);
  });

  test("is no other account's", async () => {
    const reply = await child.call('PATCH', '/v1/account', { body: { defaultSenderId: parent.senderId } });
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer: '/defaultSenderId' }] } });
  });
});

const LATER = { local: '2027-01-13T12:00', zone: 'America/New_York' };

describe('a part that was rejected', () => {
  test('can be tried again until its account is disabled or leaves, which abort it for good', async () => {
    const retryPath = await createRejectedPart(world, parent, child);
    const seen = async () => {
      const { body } = await parent.call('GET', retryPath.replace(/\/[^/]+\/retry$/, ''));
      return (body['items'] as readonly { readonly state: string; readonly canRetry: boolean }[])[0];
    };
    expect(await seen()).toMatchObject({ state: 'rejected', canRetry: true });
    await parent.call('POST', `/v1/accounts/${child.accountId}/disable`, {
      body: { reason: 'It has closed.' },
    });
    expect(await seen()).toMatchObject({ state: 'aborted', canRetry: false });
    expect(codeOf(await parent.call('POST', retryPath))).toBe('409 action-not-allowed');
    await parent.call('POST', `/v1/accounts/${child.accountId}/enable`, { body: {} });
    expect(await seen()).toMatchObject({ state: 'aborted', canRetry: false });
    expect(codeOf(await parent.call('POST', retryPath))).toBe('409 action-not-allowed');
    await world.operator('PUT', `/v1/accounts/${child.accountId}/parent`, { body: { parentId: null } });
    expect(await seen()).toMatchObject({ canRetry: false });
    expect(codeOf(await parent.call('POST', retryPath))).toBe('409 action-not-allowed');
  });
});

describe('a running part, once its account leaves the parent', () => {
  const NOBODYS = { body: { parentId: null } };
  test.each([
    ['by itself', (leaving: Tenant) => leaving.call('POST', '/v1/account/leave-parent')],
    [
      "by an operator's order",
      (leaving: Tenant) => world.operator('PUT', `/v1/accounts/${leaving.accountId}/parent`, NOBODYS),
    ],
  ])('%s, is aborted with that reason, and its run hears of it', async (how, leave) => {
    const leaving = await world.openTenant();
    const joined = { body: { parentId: parent.accountId } };
    await world.operator('PUT', `/v1/accounts/${leaving.accountId}/parent`, joined);
    const id = await launchCentral(world, parent, [leaving], {
      name: `Left ${how}`,
      dueAt: '2027-01-12T18:00',
    });
    const seen = async () => {
      const { body } = await parent.call('GET', `/v1/campaigns/${id}/accounts`);
      return (body['items'] as readonly { readonly campaignId: string }[])[0];
    };
    const own = (await seen())?.campaignId ?? '';
    const { accountId } = leaving;
    await withAccount(world.db, accountId, (trx) =>
      prepareCampaign(trx, { accountId, campaignId: own, at: NOON }),
    );
    expect(await seen()).toMatchObject({ state: 'handed_over', reason: null });
    expect(world.asked).not.toContain(`wake ${own}`);
    expect((await leave(leaving)).status).toBe(200);
    expect(await seen()).toMatchObject({ state: 'aborted', reason: { code: 'account_left' } });
    expect(world.asked).toContain(`wake ${own}`);
    const { body } = await leaving.call('GET', `/v1/campaigns/${own}`);
    expect(body).toMatchObject({ status: 'aborted', holds: [{ kind: 'abort', cause: 'account_left' }] });
    expect((await leaving.call('GET', '/v1/account')).body['parentId']).toBeNull();
    const log = await leaving.call('GET', `/v1/campaigns/${own}/log`);
    expect(JSON.stringify(log.body)).toContain('The account has left its parent.');
  });
});
