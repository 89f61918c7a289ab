import { beforeAll, describe, expect, it } from 'vitest';
import { textHash } from '../../../carrier/sandbox/ledger.ts';
import type { LedgerLine } from '../../../chaos/carrier-ledger.ts';
import { until } from '../../../dev/until.ts';
import { type CentralBody, putJson, refused } from './central-calls.ts';
import { type Branch, type Franchise, GUESTS, inHours, type PartBody } from './franchise.ts';

interface Listed {
  readonly total: number;
  readonly items: readonly { readonly id: string; readonly name: string; readonly kind: string }[];
}

/** Where a sent campaign and its report are found, sentence by sentence. */
export function describeReporting(opened: () => Franchise): void {
  describe('a Central Send SMS, as its users describe it, once it is sent', () => {
    let franchise: Franchise;
    let sent: CentralBody;
    /** What the carrier has taken of it. */
    let lines: readonly LedgerLine[];
    beforeAll(async () => {
      franchise = opened();
      const pairs: { readonly accountId: string; readonly listId: string }[] = [];
      for (const branch of franchise.all) {
        const listId = await franchise.list(branch, 'Who is asked', guestsOf(branch));
        pairs.push({ accountId: branch.accountId, listId });
      }
      const everybody = await franchise.preset('All that report', pairs);
      sent = await franchise.draft('Reported', everybody, 'Tell {{account.senderName}} how it was');
      const before = (await franchise.world.ledger()).length;
      await franchise.launch(sent.id, 'now');
      sent = await franchise.reaches(sent.id, 'finished');
      lines = (await franchise.world.ledger()).slice(before);
    });

    /** Of each branch others, so that no report can be taken for another's. */
    const guestsOf = (branch: Branch): readonly string[] => GUESTS.slice(franchise.all.indexOf(branch));

    const textOf = ({ senderName }: Branch): string => `Tell ${senderName} how it was`;

    const own = async (branch: Branch): Promise<PartBody> => {
      const part = await franchise.ownPart(branch, sent.id);
      if (part === null) throw new Error(`${branch.name} has no part.`);
      return part;
    };

    it('has its sender name pulled from each sub-account, once it is sent', async () => {
      for (const branch of franchise.all) {
        expect(await franchise.texted(branch, textOf(branch))).toEqual(guestsOf(branch));
      }
    });

    it('has a name to recognise it by in the account, which contacts never see', () => {
      expect(sent.displayName).toBe('Reported');
      // Every text is the content and nothing else.
      const contents = new Set(franchise.all.map((branch) => textHash(textOf(branch))));
      expect(new Set(lines.map(({ sha256 }) => sha256))).toEqual(contents);
      expect(lines).toHaveLength(franchise.all.reduce((sum, branch) => sum + guestsOf(branch).length, 0));
    });

    it('is housed with its report in each sub-account, marked as sent by the parent', async () => {
      const { accountId } = franchise.world;
      for (const branch of franchise.all) {
        const found = await branch.api.get<Listed>('/v1/campaigns?kind=central&q=reported');
        const part = await until(
          () => own(branch),
          ({ report }) => report.delivered === guestsOf(branch).length,
        );
        expect(found).toMatchObject({
          total: 1,
          items: [{ id: part.id, name: 'Reported', kind: 'central' }],
        });
        expect(part).toMatchObject({ status: 'finished', sentBy: { accountId, name: 'Harbour Bakery' } });
        const texted = await franchise.texted(branch, textOf(branch));
        expect(texted).toEqual(guestsOf(branch));
        expect(part.report).toMatchObject({ recipients: texted.length, accepted: texted.length, unknown: 0 });
        const recipients = await branch.api.get<{ items: { number: string; state: string }[] }>(
          `/v1/campaigns/${part.id}/recipients`,
        );
        expect(recipients.items.map(({ number }) => number).toSorted()).toEqual(texted);
      }
    });

    it('is edited, copied and steered by the parent alone, while each sub-account may put its own part away', async () => {
      const { api } = franchise.branches.reno;
      const part = await own(franchise.branches.reno);
      const path = `/v1/campaigns/${part.id}`;
      const messagePath = `${path}/messages/${part.messages[0]?.id}`;
      expect(await refused(api.patch(path, { name: 'Ours' }))).toBe('409 details-locked');
      expect(await refused(api.patch(messagePath, { text: 'Ours' }))).toBe('409 details-locked');
      expect(await refused(api.post(`${path}/messages`, { text: 'Ours' }))).toBe('409 details-locked');
      expect(await refused(api.post(`${path}/duplicate`, {}))).toBe('409 not-interchangeable');
      for (const action of ['stop', 'launch', 'reschedule']) {
        const allowance = part.actions.find(({ name }) => name === action);
        expect([action, allowance?.allowed]).toEqual([action, false]);
      }
      await api.post(`${path}/archive`, {});
      expect((await api.get<Listed>('/v1/campaigns?q=reported')).total).toBe(0);
      await api.post(`${path}/unarchive`, {});
    });

    it('is found on the page of all campaigns by its kind, Central Send SMS', async () => {
      const { parent } = franchise;
      const listed = (query: string) => parent.get<Listed>(`/v1/campaigns?${query}&pageSize=200`);
      const standard = await parent.post<{ id: string }>('/v1/campaigns', { name: 'Reported otherwise' });
      const ids = ({ items }: Listed): string[] => items.map(({ id }) => id);
      expect(ids(await listed('kind=central&status=finished&q=reported'))).toEqual([sent.id]);
      expect(ids(await listed('kind=standard&q=reported'))).toEqual([standard.id]);
      expect(new Set(ids(await listed('kind=standard&kind=central&q=reported')))).toEqual(
        new Set([sent.id, standard.id]),
      );
      const central = await listed('kind=central');
      expect(new Set(central.items.map(({ kind }) => kind))).toEqual(new Set(['central']));
    });

    it('shows as sent in the parent, without any reporting', async () => {
      const { parent } = franchise;
      expect(await franchise.campaign(sent.id)).toMatchObject({
        status: 'finished',
        report: null,
        spent: null,
        audience: { recipients: null },
        central: { accounts: 4, states: { done: 4 } },
        messages: [{ status: 'sent', report: null }],
      });
      const recipients = await parent.get<{ items: unknown[] }>(`/v1/campaigns/${sent.id}/recipients`);
      expect(recipients.items).toEqual([]);
      const [somebody] = GUESTS;
      const find = parent.post(`/v1/campaigns/${sent.id}/recipients/find`, { number: somebody });
      expect(await refused(find)).toBe('404 not-found');
      // States with reasons, and nothing that could be a count.
      for (const part of await franchise.parts(sent.id)) {
        expect(Object.entries(part).filter(([, value]) => typeof value === 'number')).toEqual([]);
        expect(part).toMatchObject({ state: 'done', reason: null });
      }
    });

    it('has a report that is unique to each sub-account, which the parent reads only where it was granted', async () => {
      const { portland, hilo } = franchise.branches;
      const grant = (reports: boolean) => putJson(hilo.api, '/v1/account/grants', { reports });
      const [granted, other] = [await own(hilo), await own(portland)];
      const asked = async (branch: Branch, { id }: PartBody): Promise<string[]> => {
        const paths = [
          '/v1/campaigns?kind=central',
          `/v1/campaigns/${id}`,
          `/v1/campaigns/${id}/recipients`,
          '/v1/alerts',
        ];
        const answers = [];
        for (const path of paths) {
          const answer = await branch.managed.get(path).then(
            () => 'told',
            () => refused(branch.managed.get(path)),
          );
          answers.push(answer);
        }
        return answers;
      };
      const refusals = Array.from({ length: 4 }, () => '403 grant-missing');
      expect(await asked(hilo, granted)).toEqual(refusals);
      // Without the header the part is nobody's that the key knows.
      for (const path of [`/v1/campaigns/${granted.id}`, `/v1/campaigns/${granted.id}/recipients`]) {
        expect(await refused(franchise.parent.get(path))).toBe('404 not-found');
      }
      await grant(true);
      expect(await asked(hilo, granted)).toEqual(['told', 'told', 'told', 'told']);
      expect(await asked(portland, other)).toEqual(refusals);
      const read = await hilo.managed.get<PartBody>(`/v1/campaigns/${granted.id}`);
      expect(read.report.accepted).toBe(guestsOf(hilo).length);
      expect(await refused(hilo.managed.post(`/v1/campaigns/${granted.id}/archive`, {}))).toBe(
        '403 not-for-parents',
      );
      await grant(false);
      expect(await asked(hilo, granted)).toEqual(refusals);
    });

    it('is paused or aborted by a sub-account for itself, and no resume of the parent lifts that', async () => {
      const { portland, reno, tahoe, hilo } = franchise.branches;
      const preset = await franchise.preset('All that decide', franchise.all);
      const draft = await franchise.draft('Decided', preset, 'Shall we?');
      await franchise.schedule(draft, inHours(5));
      await franchise.launch(draft.id, 'scheduled');
      const waiting = {
        Portland: 'handed_over',
        Reno: 'handed_over',
        Tahoe: 'handed_over',
        Hilo: 'handed_over',
      };
      await franchise.stands(draft.id, waiting);
      const order = async (branch: Branch, name: string) => {
        const part = await franchise.ownPart(branch, draft.id);
        await branch.api.post(`/v1/campaigns/${part?.id}/${name}`, {});
      };
      await order(portland, 'abort');
      await order(reno, 'pause');
      await franchise.act(draft.id, 'pause');
      await franchise.stands(draft.id, {
        Portland: 'aborted by_account',
        Reno: 'paused by_account',
        Tahoe: 'paused by_parent',
        Hilo: 'paused by_parent',
      });
      await franchise.act(draft.id, 'resume');
      await franchise.bringForward(draft);
      await franchise.stands(draft.id, {
        Portland: 'aborted by_account',
        Reno: 'paused by_account',
        Tahoe: 'done',
        Hilo: 'done',
      });
      const texted = () => Promise.all(franchise.all.map((branch) => franchise.texted(branch, 'Shall we?')));
      expect(await texted()).toEqual([[], [], GUESTS, GUESTS]);
      await order(reno, 'resume');
      await franchise.reaches(draft.id, 'finished');
      expect(await texted()).toEqual([[], GUESTS, GUESTS, GUESTS]);
      for (const branch of [tahoe, hilo]) {
        expect((await franchise.ownPart(branch, draft.id))?.status).toBe('finished');
      }
    });
  });
}
