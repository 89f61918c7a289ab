import { beforeAll, describe, expect, it } from 'vitest';
import { numbers } from '../system-world.ts';
import { refusalOf, refused } from './central-calls.ts';
import { type Franchise, GUESTS, hoursAround, inHours, PARENTS_ADDRESS } from './franchise.ts';

const ALL_DONE = { Portland: 'done', Reno: 'done', Tahoe: 'done', Hilo: 'done' };
const NO_QUIET_HOURS = { start: '00:00', end: '00:00' };
const ZONE = 'America/New_York';

/** From the choice of a time to the texts, sentence by sentence. */
export function describeSending(opened: () => Franchise): void {
  describe('a Central Send SMS, as its users describe it, when it is sent', () => {
    let franchise: Franchise;
    let everybody: string;
    beforeAll(async () => {
      franchise = opened();
      everybody = await franchise.preset('All that send', franchise.all);
    });

    const launch = (id: string, body: Record<string, unknown>) => franchise.act(id, 'launch', body);

    it('is created and sent from the parent, and appears as if each chosen sub-account had created and sent it', async () => {
      const before = (await franchise.world.ledger()).length;
      const text = 'Fresh fish at {{account.senderName}}';
      const draft = await franchise.draft('A name that contacts never see', everybody, text);
      await franchise.launch(draft.id, 'now');
      await franchise.stands(draft.id, ALL_DONE);
      const lines = (await franchise.world.ledger()).slice(before);
      expect(lines).toHaveLength(franchise.all.length * GUESTS.length);
      expect(lines.filter(({ src }) => src === PARENTS_ADDRESS)).toEqual([]);
      // Each in the name of its own sender and in no other words, so without the campaign's name.
      for (const branch of franchise.all) {
        expect(await franchise.texted(branch, `Fresh fish at ${branch.senderName}`)).toEqual(GUESTS);
      }
    });

    it('is distributed to the selected sub-accounts and to those of their lists that the preset names, once to each', async () => {
      const { portland, tahoe } = franchise.branches;
      const early = numbers(8, '415').slice(4).toSorted();
      const listId = await franchise.list(portland, 'Early birds', early);
      const { accountId } = portland;
      const tahoes = await franchise.list(tahoe, 'Early birds', early);
      const preset = await franchise.preset('Early birds', [
        portland,
        { accountId, listId },
        { accountId: tahoe.accountId, listId: tahoes },
      ]);
      const draft = await franchise.draft('Early birds', preset, 'First come, first served');
      await franchise.launch(draft.id, 'now');
      await franchise.stands(draft.id, { Portland: 'done', Tahoe: 'done' });
      const texted = await Promise.all(
        franchise.all.map((branch) => franchise.texted(branch, 'First come, first served')),
      );
      expect(texted).toEqual([[...new Set([...GUESTS, ...early])].toSorted(), [], early, []]);
    });

    it('takes all account details and settings from the records of each sub-account, as they are when it is sent', async () => {
      const { portland, reno, tahoe } = franchise.branches;
      const draft = await franchise.draft('Details', everybody, 'Pie at {{account.senderName}}');
      await franchise.schedule(draft, inHours(5));
      await franchise.launch(draft.id, 'scheduled');
      await franchise.reaches(draft.id, 'scheduled');
      await franchise.parent.patch('/v1/account', { senderName: 'Head office', prefix: 'Head office: ' });
      await portland.api.patch('/v1/account', { senderName: 'Old Port' });
      await reno.managed.patch('/v1/account', { prefix: '{{account.name}}: ', suffix: ' Reply STOP to end' });
      const spare = { address: '30113', type: 'short_code', registration: 'approved', supportsMms: true };
      const { id: spareId } = await tahoe.managed.post<{ id: string }>('/v1/senders', spare);
      await tahoe.managed.patch(`/v1/senders/${tahoe.senderId}`, { disabled: true });

      await franchise.bringForward(draft);
      await franchise.stands(draft.id, ALL_DONE);
      expect(await franchise.texted(portland, 'Pie at Old Port')).toEqual(GUESTS);
      expect(await franchise.texted(reno, 'Reno: Pie at Harbour Reno Reply STOP to end')).toEqual(GUESTS);
      expect(await franchise.texted({ address: spare.address }, 'Pie at Harbour Tahoe')).toEqual(GUESTS);
      expect(await franchise.texted(franchise.branches.hilo, 'Pie at Harbour Hilo')).toEqual(GUESTS);

      await franchise.parent.patch('/v1/account', { senderName: 'Harbour', prefix: '' });
      await portland.api.patch('/v1/account', { senderName: portland.senderName });
      await reno.api.patch('/v1/account', { prefix: '', suffix: '' });
      await tahoe.api.patch(`/v1/senders/${tahoe.senderId}`, { disabled: false });
      await tahoe.api.patch(`/v1/senders/${spareId}`, { disabled: true });
    });

    it('keeps to the hours, countries and limits in the records of each sub-account, and to none of those of the parent', async () => {
      const { parent, branches } = franchise;
      const { portland, reno, tahoe, hilo } = branches;
      const text = 'Within limits';
      const draft = await franchise.draft('Limits', everybody, text);
      const nothing = { amountMicro: 0, currency: 'USD' };
      await portland.managed.patch('/v1/account', { quietHours: hoursAround(portland.timeZone) });
      await reno.managed.patch('/v1/account', { spendLimit: nothing });
      await tahoe.managed.patch('/v1/account', { countries: ['CA'] });
      await parent.patch('/v1/account', { spendLimit: nothing, countries: ['CA'] });
      await franchise.launch(draft.id, 'now');
      const held = { Portland: 'handed_over', Reno: 'suspended spend_limit' };
      await franchise.stands(draft.id, { ...held, Tahoe: 'done', Hilo: 'done' });
      const texted = () => Promise.all(franchise.all.map((branch) => franchise.texted(branch, text)));
      expect(await texted()).toEqual([[], [], [], GUESTS]);
      expect((await franchise.ownPart(hilo, draft.id))?.report.accepted).toBe(GUESTS.length);

      await portland.managed.patch('/v1/account', { quietHours: NO_QUIET_HOURS });
      await reno.managed.patch('/v1/account', { spendLimit: null });
      await parent.post(`/v1/campaigns/${draft.id}/accounts/${reno.accountId}/retry`, {});
      await franchise.stands(draft.id, ALL_DONE);
      expect(await texted()).toEqual([GUESTS, GUESTS, [], GUESTS]);
      await tahoe.managed.patch('/v1/account', { countries: ['US'] });
      await parent.patch('/v1/account', { spendLimit: null, countries: ['US'] });
    });

    it('is sent now only outside the quiet hours, 8 p.m. to 8 a.m. unless others are set, by the time zone of the parent, within which it can still be scheduled', async () => {
      const { parent } = franchise;
      const { api } = await franchise.openStranger('Night owls');
      const usual = { quietHours: { start: '20:00', end: '08:00' } };
      expect(await api.get('/v1/account')).toMatchObject(usual);
      const draft = await franchise.draft('Now', everybody, 'Now');
      const { token } = await franchise.review(draft.id, 'now');
      await parent.patch('/v1/account', { quietHours: hoursAround(ZONE) });
      expect(await franchise.review(draft.id, 'now')).toMatchObject({
        token: null,
        refusals: [{ pointer: '/start', code: 'quiet-hours' }],
      });
      expect(await refused(launch(draft.id, { start: 'now', reviewToken: token }))).toBe('422 quiet-hours');
      await franchise.schedule(draft, inHours(5));
      expect((await franchise.review(draft.id, 'scheduled')).token).toEqual(expect.any(String));
      const later = await franchise.draft('In the night for later', everybody, 'Later');
      await franchise.schedule(later, inHours(5));
      await franchise.launch(later.id, 'scheduled');
      await franchise.reaches(later.id, 'scheduled');
      await franchise.act(later.id, 'abort');

      // The same hours of the day are over, or still to come, where it is another time of day.
      await parent.patch('/v1/account', { timeZone: 'Asia/Tokyo' });
      await franchise.launch(draft.id, 'now');
      await parent.patch('/v1/account', { timeZone: ZONE, quietHours: NO_QUIET_HOURS });
      await franchise.stands(draft.id, ALL_DONE);
      for (const branch of franchise.all) expect(await franchise.texted(branch, 'Now')).toEqual(GUESTS);
    });

    it('is scheduled for a date and time in the future, and for none within the quiet hours', async () => {
      const { parent } = franchise;
      const draft = await franchise.draft('Later', everybody, 'Later');
      expect(await refused(franchise.schedule(draft, inHours(-1)))).toBe('422 not-acceptable-value');
      await parent.patch('/v1/account', { quietHours: hoursAround(ZONE, -3, 6) });
      const within = inHours(4);
      await franchise.schedule(draft, within);
      const { token, refusals } = await franchise.review(draft.id, 'scheduled');
      expect([token, refusals]).toMatchObject([
        null,
        [{ pointer: '/messages/0/schedule', code: 'quiet-hours' }],
      ]);
      await franchise.schedule(draft, inHours(8));
      await franchise.launch(draft.id, 'scheduled');
      await franchise.reaches(draft.id, 'scheduled');
      const messages = [{ messageId: draft.messages[0]?.id, schedule: within }];
      expect(await refused(franchise.act(draft.id, 'reschedule', { messages }))).toBe('422 quiet-hours');
      await franchise.act(draft.id, 'abort');
      await parent.patch('/v1/account', { quietHours: NO_QUIET_HOURS });
    });

    it('is saved, and then sent or scheduled, as was chosen, only once that was confirmed', async () => {
      const draft = await franchise.draft('Confirmed', everybody, 'Confirmed at last');
      for (const start of ['now', 'scheduled']) {
        const refusal = await refusalOf(launch(draft.id, { start }));
        expect(refusal).toMatchObject({
          status: 409,
          code: 'review-required',
          errors: [{ pointer: '/reviewToken' }],
        });
      }
      await franchise.schedule(draft, inHours(5));
      const { token } = await franchise.review(draft.id, 'now');
      // What was confirmed was another choice.
      const other = { start: 'scheduled', reviewToken: token };
      expect(await refused(launch(draft.id, other))).toBe('409 review-stale');
      expect((await franchise.campaign(draft.id)).status).toBe('draft');

      const review = await franchise.review(draft.id, 'scheduled');
      await launch(draft.id, { start: 'scheduled', reviewToken: review.token });
      await franchise.reaches(draft.id, 'scheduled');
      for (const branch of franchise.all) {
        expect(await franchise.texted(branch, 'Confirmed at last')).toEqual([]);
      }
      await franchise.bringForward(draft);
      await franchise.stands(draft.id, ALL_DONE);
      for (const branch of franchise.all) {
        expect(await franchise.texted(branch, 'Confirmed at last')).toEqual(GUESTS);
      }
    });
  });
}
