import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { createDraft } from './seeded-things.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

interface MessageBody {
  readonly id: string;
  readonly usePrefix: boolean;
  readonly warnings: readonly { readonly code: string }[];
}

const settings = (body: unknown) => world.mine.call('PATCH', '/v1/account', { body });

describe("an account's prefix and suffix", () => {
  test('are none until they are set, and may use fields of the account only', async () => {
    const { body } = await world.mine.call('GET', '/v1/account');
    expect(body).toMatchObject({ prefix: '', suffix: '' });
    expect(await settings({ prefix: 'Hi {{firstName}}, ' })).toMatchObject({
      status: 422,
      body: { code: 'not-acceptable-value', errors: [{ pointer: '/prefix' }] },
    });
    expect(await settings({ suffix: '{{account.name' })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/suffix' }] },
    });
    expect(await settings({ suffix: 'x'.repeat(101) })).toMatchObject({ status: 400 });
  });

  test('stand in a preview and count in its segments and cost, until the message has them off, with a warning', async () => {
    expect(
      await settings({ prefix: '{{account.senderName}}: ', suffix: ' Reply STOP to opt out' }),
    ).toMatchObject({ status: 200, body: { prefix: '{{account.senderName}}: ' } });
    const { campaign, message } = await createDraft(world.mine, 'Affixes');
    const path = `/v1/campaigns/${campaign}/messages/${message}`;
    const preview = async () => (await world.mine.call('POST', `${path}/preview`, { body: {} })).body;
    const change = async (body: unknown): Promise<MessageBody | undefined> => {
      const reply = await world.mine.call('PATCH', path, { body });
      return (reply.body['messages'] as readonly MessageBody[])[0];
    };
    const text = 'a'.repeat(150);
    expect(await change({ text })).toMatchObject({ usePrefix: true, useSuffix: true, warnings: [] });
    expect(await preview()).toMatchObject({
      text: `Harbour: ${text} Reply STOP to opt out`,
      added: { prefix: 'Harbour: ', suffix: ' Reply STOP to opt out' },
      segments: 2,
      warnings: [],
    });
    const off = await change({ usePrefix: false, useSuffix: false });
    expect(off?.warnings.map((warning) => warning.code)).toEqual([
      'suffix_switched_off',
      'prefix_switched_off',
    ]);
    const without = await preview();
    expect(without).toMatchObject({ text, added: { prefix: '', suffix: '' }, segments: 1 });
    expect((without['warnings'] as readonly { code: string }[]).map((warning) => warning.code)).toEqual([
      'suffix_switched_off',
      'prefix_switched_off',
    ]);
    const copy = await world.mine.call('POST', `/v1/campaigns/${campaign}/duplicate`);
    expect(copy.body['messages']).toMatchObject([{ usePrefix: false, useSuffix: false }]);
  });
});
