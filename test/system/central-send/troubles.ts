import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../dev/until.ts';
import { timeOfDayMs } from '../../../domain/zoned-time.ts';
import { refused } from './central-calls.ts';
import { type Franchise, GUESTS, hoursAround, PARENTS_ADDRESS, type PartBody } from './franchise.ts';

const HOUR_MS = 3_600_000;
const HALF = GUESTS.length / 2;

interface PartReview {
  readonly name: string;
  readonly recipients: number;
  readonly messages: readonly { readonly waits: boolean }[];
  readonly warnings: readonly { readonly code: string }[];
}

/** One campaign of four sub-accounts, with each of which something is the matter. */
export function describeTroubles(opened: () => Franchise): void {
  describe('a Central Send SMS to four sub-accounts in four zones: one with opt-outs, one disabled half-way, one with a lapsed sender, one in its night', () => {
    const TEXT = 'Harvest week begins';
    const [first = '', second = '', ...others] = GUESTS;
    let franchise: Franchise;
    let id: string;
    let reviewed: readonly PartReview[];

    beforeAll(async () => {
      franchise = opened();
      const { world, parent, branches } = franchise;
      const { portland, reno, tahoe, hilo } = branches;
      for (const from of [first, second]) {
        await world.sandbox.post('/sandbox/inbound', { from, to: portland.address, text: 'STOP' });
      }
      // The carrier takes half of its people today, so that it stands half-way for as long as anybody looks.
      const quota = { name: 'Half a day', dayUnits: HALF, resetZone: zoneAtDay() };
      const { id: quotaId } = await reno.managed.post<{ id: string }>('/v1/quotas', quota);
      await reno.managed.patch(`/v1/senders/${reno.senderId}`, { quotaIds: [quotaId] });
      await tahoe.managed.patch(`/v1/senders/${tahoe.senderId}`, { registration: 'lapsed' });
      await hilo.managed.patch('/v1/account', { quietHours: hoursAround(hilo.timeZone) });

      const preset = await franchise.preset('Four of a kind', franchise.all);
      ({ id } = await franchise.draft('Harvest', preset, TEXT));
      const { token } = await franchise.review(id, 'now');
      const path = `/v1/campaigns/${id}/reviews/${token}/accounts`;
      ({ items: reviewed } = await parent.get<{ items: readonly PartReview[] }>(path));
      await franchise.act(id, 'launch', { start: 'now', reviewToken: token });
      await franchise.stands(id, {
        Portland: 'done',
        Reno: 'handed_over',
        Tahoe: 'suspended no_sender',
        Hilo: 'handed_over',
      });
      await until(
        () => franchise.texted(reno, TEXT),
        (texted) => texted.length === HALF,
      );
    });

    const ownPart = async (name: keyof Franchise['branches']): Promise<PartBody> => {
      const part = await franchise.ownPart(franchise.branches[name], id);
      if (part === null) throw new Error(`${name} has no part.`);
      return part;
    };

    it('is reviewed with all of that: who would be texted, who waits for his window, what is to be warned of', () => {
      const found = reviewed.map(({ name, recipients, messages, warnings }) => {
        const codes = warnings.map(({ code }) => code);
        return [name, { recipients, waits: messages[0]?.waits, codes }];
      });
      expect(Object.fromEntries(found)).toEqual({
        Portland: { recipients: others.length, waits: false, codes: [] },
        Reno: { recipients: GUESTS.length, waits: false, codes: [] },
        Tahoe: { recipients: GUESTS.length, waits: false, codes: ['registration_lapsed'] },
        Hilo: { recipients: GUESTS.length, waits: true, codes: ['waits'] },
      });
    });

    it('leaves out who has opted out of one sub-account, there and nowhere else', async () => {
      const { portland } = franchise.branches;
      expect(await franchise.texted(portland, TEXT)).toEqual(others);
      const { report } = await ownPart('portland');
      expect(report).toMatchObject({
        recipients: GUESTS.length,
        accepted: others.length,
        skipped: [{ reason: 'opt_out', count: 2 }],
      });
    });

    it('has a sub-account in its night wait for its own window, and text everybody once that has opened', async () => {
      const { hilo } = franchise.branches;
      expect(await franchise.texted(hilo, TEXT)).toEqual([]);
      const waiting = await ownPart('hilo');
      expect(waiting.report).toMatchObject({ accepted: 0, waiting: GUESTS.length });
      const { quietHours } = await hilo.api.get<{ quietHours: { end: string } }>('/v1/account');
      expect(waiting.next.at?.slice(11, 16)).toBe(quietHours.end);
      expect((await franchise.states(id))['Hilo']).toBe('handed_over');
      await hilo.api.patch('/v1/account', { quietHours: { start: '00:00', end: '00:00' } });
      await until(
        () => franchise.states(id),
        (states) => states['Hilo'] === 'done',
      );
      expect(await franchise.texted(hilo, TEXT)).toEqual(GUESTS);
    });

    it('suspends a sub-account without a sender that may send, alone, until it is mended and tried again', async () => {
      const { parent, branches } = franchise;
      const { tahoe } = branches;
      const retry = () => parent.post(`/v1/campaigns/${id}/accounts/${tahoe.accountId}/retry`, {});
      expect(await franchise.texted(tahoe, TEXT)).toEqual([]);
      const part = (await franchise.parts(id)).find(({ name }) => name === 'Tahoe');
      expect(part).toMatchObject({ state: 'suspended', reason: { code: 'no_sender' }, canRetry: true });
      expect(part?.reason?.message).toContain('sender');
      expect(await refused(retry())).toBe('409 cause-persists');
      await tahoe.managed.patch(`/v1/senders/${tahoe.senderId}`, { registration: 'approved' });
      await retry();
      await until(
        () => franchise.states(id),
        (states) => states['Tahoe'] === 'done',
      );
      expect(await franchise.texted(tahoe, TEXT)).toEqual(GUESTS);
      expect(await refused(retry())).toBe('409 action-not-allowed');
    });

    it('ends in a sub-account that is disabled half-way, which keeps what it has sent and its report', async () => {
      const { parent, branches } = franchise;
      const { reno } = branches;
      expect((await franchise.campaign(id)).status).toBe('started');
      const half = await franchise.texted(reno, TEXT);
      await parent.post(`/v1/accounts/${reno.accountId}/disable`, { reason: 'The branch has closed.' });
      expect((await franchise.states(id))['Reno']).toBe('aborted account_disabled');
      await franchise.reaches(id, 'finished');
      expect(await franchise.texted(reno, TEXT)).toEqual(half);
      const part = await until(
        () => ownPart('reno'),
        ({ report }) => report.delivered === HALF,
      );
      expect(part).toMatchObject({
        status: 'aborted',
        report: { recipients: GUESTS.length, accepted: HALF },
      });
      expect(await refused(reno.api.post(`/v1/campaigns/${part.id}/archive`, {}))).toBe(
        '403 account-disabled',
      );
      // Nothing of it is set going again by enabling the account.
      await parent.post(`/v1/accounts/${reno.accountId}/enable`, {});
      expect((await franchise.states(id))['Reno']).toBe('aborted account_disabled');
      expect(await refused(reno.api.post(`/v1/campaigns/${part.id}/resume`, {}))).toBe(
        '409 action-not-allowed',
      );
    });

    it('is finished in the parent when each is over, with nobody texted twice and no number told but those of accounts', async () => {
      const { parent, world } = franchise;
      expect(await franchise.states(id)).toEqual({
        Portland: 'done',
        Reno: 'aborted account_disabled',
        Tahoe: 'done',
        Hilo: 'done',
      });
      expect(await franchise.campaign(id)).toMatchObject({
        status: 'finished',
        report: null,
        central: { accounts: 4, states: { done: 3, aborted: 1 } },
      });
      const texted = await Promise.all(franchise.all.map((branch) => franchise.texted(branch, TEXT)));
      expect(texted.map((people) => people.length)).toEqual([
        others.length,
        HALF,
        GUESTS.length,
        GUESTS.length,
      ]);
      expect(texted.map((people) => new Set(people).size)).toEqual(texted.map((people) => people.length));
      const ofParent = (await world.ledger()).filter(
        ({ dst, src }) => GUESTS.includes(dst) && src === PARENTS_ADDRESS,
      );
      expect(ofParent).toEqual([]);
      // Of each account its state, why, and when it ended.
      const { items } = await parent.get<{ items: object[] }>(`/v1/campaigns/${id}/accounts`);
      for (const item of items) {
        expect(Object.keys(item).toSorted()).toEqual(
          [
            'accountId',
            'campaignId',
            'canRetry',
            'endedAt',
            'name',
            'reason',
            'state',
            'timeZone',
          ].toSorted(),
        );
      }
    });
  });
}

/** A zone in which no day ends while a test runs. */
function zoneAtDay(): string {
  const zones = ['Etc/UTC', 'Asia/Tokyo', 'America/Los_Angeles'];
  const now = Date.now();
  const isDay = (zone: string): boolean => {
    const hour = timeOfDayMs(now, zone) / HOUR_MS;
    return hour > 2 && hour < 22;
  };
  return zones.find(isDay) ?? 'Etc/UTC';
}
