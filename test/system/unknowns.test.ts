import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setUpAccount } from '../../chaos/account.ts';
import { until } from '../../dev/until.ts';
import { withOwner } from '../../dev/with-owner.ts';
import { type CampaignBody, numbers, startSystemWorld, type SystemWorld } from './system-world.ts';

/** What tests read of a recipient's story. */
interface StoryBody {
  readonly messages: readonly {
    readonly state: string;
    readonly next: { readonly what: string };
    readonly attempts: readonly {
      readonly result: string;
      readonly cause: string | null;
      readonly unknown: { readonly state: string; readonly verdict: string | null } | null;
    }[];
  }[];
}

const [failed = ''] = numbers(1, '629');
const undelivered = '+16285559002';

let world: SystemWorld;
let failing: CampaignBody;
beforeAll(async () => {
  world = await startSystemWorld({ env: { CARILLON_ASK_FASTER: '300' } });
  await askOftener();
  // Its new attempt follows a minute later, which passes while other tests run.
  await world.sandbox.post('/sandbox/faults', { fault: 'failed_300', to: failed, count: 1 });
  const list = await world.list('Failing', [failed, undelivered]);
  failing = await world.draft('Failing', list, ['Once more, {{firstName}}']);
  await world.api.post(`/v1/campaigns/${failing.id}/launch`, { start: 'now' });
});
afterAll(() => world.stop());

/** The list may be asked 20 times a minute, at the carrier and in the rows that keep to it, which the API cannot change. */
async function askOftener(): Promise<void> {
  const settings = Buffer.from(JSON.stringify({ listsPerMinute: 6_000 }));
  await world.sandbox.send('PUT', '/sandbox/settings', settings, 'application/json');
  await withOwner(world.system.current().urls.database, (owner) =>
    owner.query('update carrier_accounts set lists_per_minute = 6000'),
  );
}

const storyOf = (campaign: CampaignBody, number: string): Promise<StoryBody> =>
  world.api.post<StoryBody>(`/v1/campaigns/${campaign.id}/recipients/find`, { number });

describe('a text of which nobody knows whether the carrier took it', () => {
  it("is resolved by the carrier's list, or shown as not in it with the evidence, and nobody is texted twice", async () => {
    const [taken = '', plain = ''] = numbers(2, '628');
    const never = '+16285559028';
    await world.sandbox.post('/sandbox/faults', { fault: 'reset_accepted', to: taken, count: 1 });
    await world.sandbox.post('/sandbox/faults', { fault: 'callbacks_lost', to: taken });
    const list = await world.list('Doubtful', [taken, plain, never]);
    const draft = await world.draft('Doubtful', list, ['Hello {{firstName}}']);
    await world.api.post(`/v1/campaigns/${draft.id}/launch`, { start: 'now' });

    const resolved = await until(
      () => world.campaign(draft.id),
      ({ report }) => report.accepted === 2 && report.unknownAs.absent === 1,
    );
    expect(resolved.report).toMatchObject({
      recipients: 3,
      accepted: 2,
      unknown: 1,
      unknownAs: { unresolved: 0, absent: 1, final: 0 },
    });
    expect(resolved.settled, 'one may still turn out to be accepted').toBe(false);
    expect((await storyOf(draft, taken)).messages).toMatchObject([
      {
        state: 'accepted',
        attempts: [
          {
            result: 'unknown',
            cause: 'reset',
            unknown: { state: 'accepted', verdict: 'accepted', records: 1 },
          },
        ],
      },
    ]);
    expect((await storyOf(draft, never)).messages).toMatchObject([
      {
        state: 'unknown',
        next: { what: 'await report' },
        attempts: [
          {
            result: 'unknown',
            unknown: { state: 'absent', verdict: 'absent', records: 0, explained: 0, complete: true },
          },
        ],
      },
    ]);
    const { items } = await world.api.get<{ items: { state: string; reason: string | null }[] }>(
      `/v1/campaigns/${draft.id}/recipients?state=unknown`,
    );
    expect(items).toMatchObject([{ state: 'unknown', reason: 'not_in_list' }]);
    const ledger = (await world.ledger()).filter(({ dst }) => [taken, plain, never].includes(dst));
    expect(ledger.map(({ dst }) => dst).toSorted()).toEqual([plain, taken].toSorted());
  });
});

describe('a text that the carrier does not have', () => {
  it('is sent again by a round of unknown ones, once, and by nothing else', async () => {
    const [never = '', plain = ''] = numbers(2, '707');
    await world.sandbox.post('/sandbox/faults', { fault: 'reset_before', to: never, count: 1 });
    const list = await world.list('Lost', [never, plain]);
    const draft = await world.draft('Lost', list, ['Hello again, {{firstName}}']);
    await world.api.post(`/v1/campaigns/${draft.id}/launch`, { start: 'now' });
    const absent = await until(
      () => world.campaign(draft.id),
      ({ status, report }) => status === 'finished' && report.unknownAs.absent === 1,
    );
    expect(absent.actions.filter(({ allowed }) => allowed).map(({ name }) => name)).toContain(
      'resend_unknown',
    );
    const review = await world.api.post<{ token: string; recipients: number; action: string }>(
      `/v1/campaigns/${draft.id}/review`,
      { round: 'resend_unknown' },
    );
    expect(review).toMatchObject({
      action: 'resend_unknown',
      recipients: 1,
      refusals: [],
      warnings: expect.arrayContaining([expect.objectContaining({ code: 'texted_twice' })]),
    });
    await world.api.post(`/v1/campaigns/${draft.id}/rounds`, {
      kind: 'resend_unknown',
      reviewToken: review.token,
    });
    const resent = await world.reaches(draft.id, 'finished');
    expect(resent.report).toMatchObject({ recipients: 2, accepted: 2, delivered: 2, unknown: 0 });
    expect(resent.settled).toBe(true);
    expect(resent.rounds).toMatchObject([
      { number: 1, kind: 'resend_unknown', recipients: 1, accepted: 1, delivered: 1, waiting: 0, leftOut: 0 },
    ]);
    const ledger = await world.ledger();
    expect(ledger.filter(({ dst }) => dst === never)).toHaveLength(1);
    expect(ledger.filter(({ dst }) => dst === plain)).toHaveLength(1);
    expect((await storyOf(draft, never)).messages).toMatchObject([
      { state: 'delivered', attempts: [{ unknown: { state: 'superseded' } }, { result: 'accepted' }] },
    ]);
  });
});

describe('a text that the carrier does not have, where the account has chosen `resendAbsent`', () => {
  it('is sent again by itself, once, with the evidence; where it has not, it stays unknown', async () => {
    const [lost = '', lostTwice = '', plain = ''] = numbers(3, '801');
    const [theirs = ''] = numbers(1, '802');
    for (const [to, count] of [
      [lost, 1],
      [lostTwice, 2],
      [theirs, 1],
    ] as const) {
      await world.sandbox.post('/sandbox/faults', { fault: 'reset_before', to, count });
    }
    const { urls, firstKeys } = world.system.current();
    const place = { apiUrl: urls.api, sandboxUrl: urls.sandbox, operatorKey: firstKeys?.operatorKey ?? '' };
    const other = await setUpAccount(place, 100, '24366');
    const otherCampaign = await other.launch('Left alone', await other.list('Theirs', [theirs]));

    await world.api.patch('/v1/account', { resendAbsent: true });
    const list = await world.list('Chosen', [lost, lostTwice, plain]);
    const draft = await world.draft('Chosen', list, ['Hello once more, {{firstName}}']);
    await world.api.post(`/v1/campaigns/${draft.id}/launch`, { start: 'now' });
    const resent = await until(
      () => world.campaign(draft.id),
      ({ status, report }) =>
        status === 'finished' && report.delivered === 2 && report.unknownAs.absent === 1,
    );
    expect(resent.report).toMatchObject({ recipients: 3, accepted: 2, unknown: 1 });
    const absent = {
      result: 'unknown',
      cause: 'reset',
      unknown: { state: 'superseded', verdict: 'absent', records: 0, explained: 0, complete: true },
    };
    expect((await storyOf(draft, lost)).messages).toMatchObject([
      { state: 'delivered', attempts: [absent, { result: 'accepted' }] },
    ]);
    expect((await storyOf(draft, lostTwice)).messages).toMatchObject([
      {
        state: 'unknown',
        next: { what: 'await report' },
        attempts: [
          absent,
          { result: 'unknown', unknown: { state: 'absent', verdict: 'absent', records: 0 } },
        ],
      },
    ]);
    const leftAlone = await until(
      () => other.api.get<CampaignBody>(`/v1/campaigns/${otherCampaign.id}`),
      ({ status, report }) => status === 'finished' && report.unknownAs.absent === 1,
    );
    expect(leftAlone.report).toMatchObject({ recipients: 1, accepted: 0, unknown: 1 });
    const ledger = (await world.ledger()).map(({ dst }) => dst);
    const textsTo = (number: string) => ledger.filter((dst) => dst === number).length;
    expect([lost, lostTwice, plain, theirs].map(textsTo)).toEqual([1, 0, 1, 0]);
    const story = await other.api.post<StoryBody>(`/v1/campaigns/${otherCampaign.id}/recipients/find`, {
      number: theirs,
    });
    expect(story.messages).toMatchObject([
      { state: 'unknown', attempts: [{ unknown: { state: 'absent' } }] },
    ]);
    expect(story.messages[0]?.attempts).toHaveLength(1);
    await world.api.patch('/v1/account', { resendAbsent: false });
  });
});

describe('a text that the carrier never handed over', () => {
  it('is tried again by itself, counted once, and one that may have arrived is not', async () => {
    const finished = await world.reaches(failing.id, 'finished');
    expect(finished.report).toMatchObject({
      recipients: 2,
      accepted: 2,
      delivered: 1,
      failed: [],
      unknown: 0,
    });
    expect((await storyOf(failing, failed)).messages).toMatchObject([
      { state: 'delivered', attempts: [{ result: 'accepted' }, { result: 'accepted' }] },
    ]);
    const ledger = await world.ledger();
    const finalsOf = (number: string) => ledger.filter(({ dst }) => dst === number).map(({ final }) => final);
    expect(finalsOf(failed)).toEqual(['failed', 'delivered']);
    expect(finalsOf(undelivered)).toEqual(['undelivered']);
  });
});
