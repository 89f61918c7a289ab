import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../dev/until.ts';
import { ACKNOWLEDGEMENT } from '../../../domain/launch-check.ts';
import { numbers } from '../system-world.ts';
import { type CentralBody, putJson, refusalOf, refused } from './central-calls.ts';
import { type Franchise, GUESTS, inHours, PARENTS_ADDRESS } from './franchise.ts';

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

interface PresetBody {
  readonly id: string;
  readonly name: string;
  readonly accounts: number;
  readonly lists: number;
}

/** From the permission to a complete draft, sentence by sentence. */
export function describeDrafting(opened: () => Franchise): void {
  describe('a Central Send SMS, as its users describe it, until it is complete', () => {
    let franchise: Franchise;
    let everybody: string;
    beforeAll(async () => {
      franchise = opened();
      everybody = await franchise.preset('Every branch', franchise.all);
    });

    it('has to be enabled by an operator for the account, which is told so without', async () => {
      const { world } = franchise;
      const { accountId, api } = await franchise.openStranger('Lakeside Inns');
      const tries = [
        () => api.post('/v1/presets', { name: 'All inns' }),
        () => api.post('/v1/campaigns', { kind: 'central' }),
      ];
      const enable = (enabled: boolean) =>
        putJson(world.operator, `/v1/accounts/${accountId}/central-send`, { enabled });
      for (const attempt of tries) {
        const refusal = await refusalOf(attempt());
        expect(refusal).toMatchObject({ status: 403, code: 'central-send-disabled' });
        expect(refusal.detail).toContain('operator');
      }
      expect(await refused(putJson(api, `/v1/accounts/${accountId}/central-send`, { enabled: true }))).toBe(
        '403 scope-missing',
      );
      await enable(true);
      for (const attempt of tries) await attempt();
      await enable(false);
      expect(await refused(api.post('/v1/campaigns', { kind: 'central' }))).toBe('403 central-send-disabled');
    });

    it('begins, where Central Send and SMS are chosen, as an untitled draft of that kind', async () => {
      const created = await franchise.parent.post<CentralBody>('/v1/campaigns', { kind: 'central' });
      expect(created).toMatchObject({
        kind: 'central',
        channel: 'sms',
        status: 'draft',
        displayName: 'Untitled campaign',
        central: { presetId: null, accounts: 0 },
      });
      expect(created.missing.map(({ pointer }) => pointer)).toContain('/presetId');
    });

    it('is renamed from Untitled campaign, to a name that no other campaign of the account has, and saved', async () => {
      const { parent } = franchise;
      const { id } = await parent.post<CentralBody>('/v1/campaigns', { kind: 'central' });
      const rename = (name: string) => parent.patch<CentralBody>(`/v1/campaigns/${id}`, { name });
      await parent.post('/v1/campaigns', { kind: 'central', name: 'Summer menu' });
      await parent.post('/v1/campaigns', { name: 'Winter menu' });
      for (const taken of ['SUMMER menu', 'winter MENU']) {
        expect(await refused(rename(taken))).toBe('409 name-taken');
      }
      await rename('Autumn menu');
      expect(await franchise.campaign(id)).toMatchObject({ name: 'Autumn menu', displayName: 'Autumn menu' });
    });

    it('takes its content as any other SMS does: text, emojis, pictures, a preview and a test', async () => {
      const { parent, world, branches } = franchise;
      const media = await parent.send<{ id: string }>('POST', '/v1/media', PIXEL, 'image/png');
      const preset = await franchise.preset('Portland only', [branches.portland]);
      const draft = await franchise.draft('With a picture', preset, 'Soup 🍲 at {{account.senderName}}');
      const path = `/v1/campaigns/${draft.id}/messages/${draft.messages[0]?.id}`;
      await parent.patch(path, { mediaIds: [media.id] });
      const preview = await parent.post<{ text: string }>(`${path}/preview`, {});
      expect(preview.text).toBe('Soup 🍲 at Harbour Portland');

      const [tester = ''] = numbers(1, '917');
      await parent.post('/v1/test-numbers', { number: tester });
      await parent.patch(`/v1/campaigns/${draft.id}`, { senderId: world.senderId });
      await parent.post(`${path}/test`, { numbers: [tester] });
      await until(
        () => parent.get<{ items: { state: string }[] }>(`${path}/tests`),
        ({ items }) => items.every(({ state }) => state === 'delivered'),
      );
      const tested = (await world.ledger()).filter(({ dst }) => dst === tester);
      expect(tested.map(({ src }) => src)).toEqual([PARENTS_ADDRESS]);

      await franchise.launch(draft.id, 'now');
      await franchise.stands(draft.id, { Portland: 'done' });
      expect(await franchise.texted(branches.portland, 'Soup 🍲 at Harbour Portland')).toEqual(GUESTS);
    });

    it('is written just as any other SMS is: its editor takes and refuses what that of a standard one does', async () => {
      const { parent } = franchise;
      const central = await parent.post<CentralBody>('/v1/campaigns', { kind: 'central' });
      const standard = await parent.post<CentralBody>('/v1/campaigns', {});
      const texts = [
        'Soup 🍲 for {{firstName|you}} at table {{custom.table}}',
        'Soup for {{firstName',
        'Soup for {{nobody}}',
        '',
        'Soup. '.repeat(1_000),
        'More soup',
      ];
      const write = async ({ id }: CentralBody): Promise<unknown> => {
        const path = `/v1/campaigns/${id}/messages`;
        const answers: string[] = [];
        for (const text of texts) {
          const answer = parent.post(path, { text });
          answers.push(
            await answer.then(
              () => 'taken',
              () => refused(answer),
            ),
          );
        }
        const [first, second] = (await parent.get<CentralBody>(`/v1/campaigns/${id}`)).messages;
        await parent.patch(`${path}/${second?.id}`, { text: 'Much more soup', usePrefix: false });
        await parent.remove(`${path}/${first?.id}`);
        const { messages } = await parent.get<CentralBody>(`/v1/campaigns/${id}`);
        return { answers, messages: messages.map(({ id: _id, report: _report, ...message }) => message) };
      };
      const written = await write(central);
      expect(written).toEqual(await write(standard));
      expect(written).toMatchObject({
        answers: expect.arrayContaining(['taken', '400 invalid-field', '422 not-acceptable-value']),
        messages: [
          { position: 1, text: 'Much more soup', usePrefix: false },
          { position: 2, text: 'More soup' },
        ],
      });
    });

    it('is scheduled by an edit, and can be moved until it is sent, in every sub-account', async () => {
      const draft = await franchise.draft('Scheduled by an edit', everybody, 'Much later');
      const [first, second] = [inHours(5), inHours(7)];
      await franchise.schedule(draft, first);
      await franchise.launch(draft.id, 'scheduled');
      const scheduled = await franchise.reaches(draft.id, 'scheduled');
      expect(scheduled).toMatchObject({ messages: [{ schedule: first }] });
      const messages = [{ messageId: draft.messages[0]?.id, schedule: second }];
      await franchise.act(draft.id, 'reschedule', { messages });
      const own = await until(
        () => franchise.ownParts(draft.id),
        (parts) =>
          parts.length === 4 && parts.every((part) => part.messages[0]?.schedule?.local === second.local),
      );
      expect(own).toHaveLength(4);
      await franchise.act(draft.id, 'abort');
      const ended = 'aborted by_parent';
      await franchise.stands(draft.id, { Portland: ended, Reno: ended, Tahoe: ended, Hilo: ended });
    });

    it('goes to a Central Send list that was created before, or to a new one made on the way', async () => {
      const { parent, branches } = franchise;
      const draft = await franchise.draft('To be chosen', everybody, 'For whom?');
      const choose = (presetId: string) =>
        parent.patch<CentralBody>(`/v1/campaigns/${draft.id}`, { presetId });
      const { items } = await parent.get<{ items: PresetBody[] }>('/v1/presets?q=every');
      expect(items).toMatchObject([{ id: everybody, name: 'Every branch' }]);
      expect((await choose(items[0]?.id ?? '')).central).toMatchObject({ presetId: everybody, accounts: 4 });
      const coast = await franchise.preset('The coast', [branches.hilo, branches.portland]);
      expect((await choose(coast)).central).toMatchObject({ presetId: coast, accounts: 2 });
      expect(await refused(parent.post('/v1/presets', { name: 'THE coast' }))).toBe('409 name-taken');
    });

    it('shows under each such list to how many accounts and lists it will be sent', async () => {
      const { parent, branches } = franchise;
      const listId = await franchise.list(branches.tahoe, 'Skiers', GUESTS.slice(0, 2));
      const { accountId } = branches.tahoe;
      const preset = await franchise.preset('The lake', [
        branches.tahoe,
        branches.reno,
        { accountId, listId },
      ]);
      expect(await parent.get<PresetBody>(`/v1/presets/${preset}`)).toMatchObject({ accounts: 2, lists: 3 });
      await franchise.preset('The lake shore', [branches.tahoe]);
      const { items } = await parent.get<{ items: PresetBody[] }>('/v1/presets?q=the%20lake');
      const sizes = items.map(({ name, accounts, lists }) => [name, { accounts, lists }]);
      expect(Object.fromEntries(sizes)).toEqual({
        'The lake': { accounts: 2, lists: 3 },
        'The lake shore': { accounts: 1, lists: 1 },
      });
      const draft = await franchise.draft('Counted', preset, 'Counted');
      const { central, recipients } = await franchise.review(draft.id, 'now');
      expect(central).toMatchObject({ accounts: 2, lists: 3, ready: 2, faulty: 0 });
      // Who stands in two lists of an account is one person there.
      expect(recipients).toBe(2 * GUESTS.length);
    });

    it('is never interchangeable with a standard SMS: neither becomes the other', async () => {
      const { parent, world } = franchise;
      const standard = await parent.post<{ id: string }>('/v1/campaigns', { name: 'A standard one' });
      const central = await franchise.draft('A central one', everybody, 'Central');
      const change = (id: string, body: unknown) => refused(parent.patch(`/v1/campaigns/${id}`, body));
      expect(await change(standard.id, { kind: 'central' })).toBe('409 not-interchangeable');
      expect(await change(central.id, { kind: 'standard' })).toBe('409 not-interchangeable');
      expect(await change(standard.id, { presetId: everybody })).toBe('422 not-acceptable-value');
      const listIds = [await world.list('Own guests', GUESTS)];
      expect(await change(central.id, { listIds })).toBe('422 not-acceptable-value');
    });

    it('is copied to another Central Send SMS', async () => {
      const { parent } = franchise;
      const original = await franchise.draft('Original', everybody, 'Again at {{account.senderName}}');
      const copy = await parent.post<CentralBody>(`/v1/campaigns/${original.id}/duplicate`, {});
      expect(copy).toMatchObject({
        kind: 'central',
        name: 'Copy of Original',
        central: { presetId: everybody, accounts: 4 },
        messages: [{ text: 'Again at {{account.senderName}}' }],
      });
      await parent.patch(`/v1/campaigns/${copy.id}`, { acknowledgement: ACKNOWLEDGEMENT });
      await franchise.launch(copy.id, 'now');
      await franchise.stands(copy.id, { Portland: 'done', Reno: 'done', Tahoe: 'done', Hilo: 'done' });
      for (const branch of franchise.all) {
        expect(await franchise.texted(branch, `Again at ${branch.senderName}`)).toEqual(GUESTS);
      }
    });

    it('is not copied to a standard SMS, nor a standard one to it', async () => {
      const { parent } = franchise;
      const central = await franchise.draft('Central to copy', everybody, 'Central');
      const standard = await parent.post<{ id: string }>('/v1/campaigns', { name: 'Standard to copy' });
      const copy = (id: string, kind: string) =>
        refused(parent.post(`/v1/campaigns/${id}/duplicate`, { kind }));
      expect(await copy(central.id, 'standard')).toBe('409 not-interchangeable');
      expect(await copy(standard.id, 'central')).toBe('409 not-interchangeable');
      const found = await parent.get<{ total: number }>('/v1/campaigns?q=copy%20of%20standard');
      expect(found.total).toBe(0);
    });
  });
}
