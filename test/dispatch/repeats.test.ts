import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCampaign } from '../../db/campaigns.ts';
import { fenceMessage } from '../../db/dispatch/enter-lane.ts';
import { appendLater } from '../../db/dispatch/later-waves.ts';
import { expireSome } from '../../db/message-plan.ts';
import { listMessages } from '../../db/messages.ts';
import { listRecipients, readReports } from '../../db/reports.ts';
import { collectRetries } from '../../db/retries.ts';
import { applyStatusReports, type StatusReport } from '../../db/status-reports.ts';
import { suppress } from '../../db/suppressions.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { Lease } from '../../domain/dispatch/dispatch-store.ts';
import {
  type FrozenCampaign,
  type LedgerWorld,
  NOON,
  openLedgerWorld,
  setMessageStatus,
  statusReportOf,
  uuidOf,
} from './ledger-world.ts';

const MINUTE_MS = 60_000;

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const reportsOf = (campaign: FrozenCampaign, lease: Lease, told: Partial<StatusReport>): StatusReport[] =>
  lease.recipients.map((person) => {
    const uuid = uuidOf(person.recipient + 100 * person.attempt);
    return statusReportOf(campaign, lease, { status: 'failed', uuid, ...told }, person);
  });

const apply = (campaign: FrozenCampaign, lease: Lease, told: Partial<StatusReport>) =>
  applyStatusReports({ db: world.db, crash: noCrash }, reportsOf(campaign, lease, told));

const messageOf = async (campaign: FrozenCampaign) => {
  const [message] = await campaign.inside((trx) => listMessages(trx, campaign.campaignId));
  if (message === undefined) throw new Error('The message is gone.');
  return message;
};

const reportOf = (campaign: FrozenCampaign) =>
  campaign.inside(async (trx) => {
    const found = await findCampaign(trx, campaign.campaignId);
    if (found === null) throw new Error('The campaign is gone.');
    const messages = await listMessages(trx, found.id);
    const [report] = (await readReports(trx, found, messages)).values();
    const [message] = messages;
    if (report === undefined || message === undefined) throw new Error('There is no report.');
    const lines = await listRecipients(trx, found, message, { states: [], after: 0, limit: 10 });
    return { ...report, states: lines.map(({ state }) => state) };
  });

/** What is due again after what was told, at noon; resolves with how many. */
const collect = async (campaign: FrozenCampaign, at = NOON, expiresAt: number | null = null) => {
  const { key: messageKey } = await messageOf(campaign);
  const { accountId } = campaign.account;
  return campaign.inside((trx) => collectRetries(trx, { accountId, messageKey, expiresAt }, at));
};

/** One recipient whose text the carrier has taken and then failed to hand over. */
async function oneFailed(code = '300'): Promise<{ campaign: FrozenCampaign; lease: Lease }> {
  const campaign = await world.freeze(1);
  const lease = await campaign.lease();
  await apply(campaign, lease, { errorCode: code });
  return { campaign, lease };
}

describe('a recipient whose text the carrier never handed over', () => {
  it('is tried again after a while, stays failed until then, and is what the new attempt is', async () => {
    const { campaign } = await oneFailed();
    expect(await collect(campaign)).toBe(1);
    expect(await reportOf(campaign)).toMatchObject({
      accepted: 1,
      failed: [{ reason: '300', count: 1 }],
      waiting: 0,
      deferred: 0,
      states: ['failed'],
    });
    expect(await campaign.openLeases(NOON), 'not at once').toEqual({
      kind: 'exhausted',
      nextDueAt: NOON + MINUTE_MS,
    });
    const again = await campaign.lease(NOON + MINUTE_MS);
    expect(again.recipients).toMatchObject([{ recipient: 1, attempt: 2 }]);
    expect(await reportOf(campaign)).toMatchObject({ accepted: 1, inFlight: 0, waiting: 0 });
    await campaign.record(again, 'accepted');
    expect(await reportOf(campaign)).toMatchObject({
      accepted: 1,
      failed: [],
      awaitingReport: 1,
      states: ['accepted'],
    });
    await apply(campaign, again, { status: 'delivered', uuid: uuidOf(1) });
    expect(await reportOf(campaign)).toMatchObject({ accepted: 1, delivered: 1, states: ['delivered'] });
  });

  it('is not tried again for what nobody may repeat, nor what may have arrived', async () => {
    for (const told of [
      { status: 'failed', errorCode: '50' },
      { status: 'failed', errorCode: null },
      { status: 'failed', errorCode: '4711' },
      { status: 'undelivered', errorCode: '300' },
      { status: 'delivered', errorCode: '300' },
    ] as const) {
      const campaign = await world.freeze(1);
      await apply(campaign, await campaign.lease(), told);
      expect(await collect(campaign), JSON.stringify(told)).toBe(0);
    }
  });

  it('is tried a bounded number of times, later and later', async () => {
    const { campaign } = await oneFailed();
    const waits: number[] = [];
    let at = NOON;
    while ((await collect(campaign, at)) === 1) {
      const answer = await campaign.openLeases(at);
      const dueAt = answer.kind === 'exhausted' ? (answer.nextDueAt ?? at) : at;
      waits.push((dueAt - at) / MINUTE_MS);
      at = dueAt;
      await apply(campaign, await campaign.lease(at), { errorCode: '300' });
    }
    expect(waits).toEqual([1, 5, 15]);
    expect(await reportOf(campaign)).toMatchObject({ accepted: 1, failed: [{ reason: '300', count: 1 }] });
  });

  it('is not tried again after its message has expired, and told of once is tried once', async () => {
    const { campaign, lease } = await oneFailed();
    await apply(campaign, lease, { errorCode: '300' });
    expect(await collect(campaign, NOON, NOON + MINUTE_MS)).toBe(0);
    expect(await collect(campaign), 'it was decided').toBe(0);
  });

  it('stays failed when the new attempt was certainly not accepted, and is tried again', async () => {
    const { campaign } = await oneFailed();
    await collect(campaign);
    const again = await campaign.lease(NOON + MINUTE_MS);
    await campaign.record(again, 'not_accepted', NOON + 2 * MINUTE_MS);
    expect(await reportOf(campaign)).toMatchObject({
      accepted: 1,
      failed: [{ reason: '300', count: 1 }],
      deferred: 0,
      states: ['failed'],
    });
    const third = await campaign.lease(NOON + 2 * MINUTE_MS);
    expect(third.recipients).toMatchObject([{ attempt: 3 }]);
    await campaign.record(third, 'accepted');
    expect(await reportOf(campaign)).toMatchObject({ accepted: 1, failed: [], states: ['accepted'] });
  });

  it('who opts out meanwhile is not texted and stays failed', async () => {
    const { campaign, lease } = await oneFailed();
    await collect(campaign);
    const { accountId, actor } = campaign.account;
    const numberHash = Buffer.from(lease.recipients[0]?.numberHash ?? '', 'hex');
    await campaign.inside((trx) =>
      suppress(trx, {
        accountId,
        numberHash,
        kind: 'opt_out',
        senderId: null,
        source: 'api',
        actor,
        number: null,
      }),
    );
    expect(await campaign.openLeases(NOON + MINUTE_MS)).toEqual({ kind: 'skipped', count: 1 });
    expect(await reportOf(campaign)).toMatchObject({ accepted: 1, skipped: [], states: ['failed'] });
    expect(await apply(campaign, lease, { errorCode: '300' }), 'its reports still count').toEqual([
      'repeated',
    ]);
  });

  it('whose message expires meanwhile stays failed', async () => {
    const { campaign } = await oneFailed();
    await collect(campaign);
    const { accountId } = campaign.account;
    const { campaignId, messageId } = campaign;
    const expire = () =>
      campaign.inside((trx) => expireSome(trx, { accountId, campaignId, messageId, at: NOON }));
    await campaign.inside((trx) =>
      trx
        .updateTable('messages')
        .set({ expires_at: new Date(NOON) })
        .where('id', '=', messageId)
        .execute(),
    );
    await campaign.inside((trx) => setMessageStatus(trx, messageId, 'scheduled'));
    expect(await expire(), 'a restart has given it another time').toBe(0);
    await campaign.inside((trx) => setMessageStatus(trx, messageId, 'sending'));
    expect([await expire(), await expire()]).toEqual([1, 0]);
    expect(await reportOf(campaign)).toMatchObject({ accepted: 1, expired: 0, states: ['failed'] });
  });

  it('becomes unknown when the worker that texted him again dies', async () => {
    const { campaign } = await oneFailed();
    await collect(campaign);
    await campaign.lease(NOON + MINUTE_MS);
    const { key } = await messageOf(campaign);
    const { accountId } = campaign.account;
    expect(await campaign.inside((trx) => fenceMessage(trx, accountId, key))).toBe(1);
    expect(await reportOf(campaign)).toMatchObject({
      accepted: 0,
      failed: [],
      unknown: 1,
      waiting: 0,
      states: ['unknown'],
    });
  });

  it('is accepted by the report of the new attempt before its record, and once', async () => {
    const { campaign } = await oneFailed();
    await collect(campaign);
    const again = await campaign.lease(NOON + MINUTE_MS);
    await apply(campaign, again, { status: 'delivered', uuid: uuidOf(1) });
    expect(await reportOf(campaign)).toMatchObject({ accepted: 1, delivered: 1, failed: [] });
    await campaign.record(again, 'accepted');
    expect(await reportOf(campaign)).toMatchObject({ accepted: 1, delivered: 1, failed: [], waiting: 0 });
  });

  it('whose old text is reported on after all counts by the new one', async () => {
    const { campaign, lease } = await oneFailed();
    await collect(campaign);
    await campaign.record(await campaign.lease(NOON + MINUTE_MS), 'accepted');
    const before = await reportOf(campaign);
    expect(await apply(campaign, lease, { status: 'delivered', errorCode: null })).toEqual(['repeated']);
    expect(await apply(campaign, lease, { status: 'sent', errorCode: null })).toEqual(['applied']);
    expect(await reportOf(campaign)).toEqual(before);
  });
});

describe('a recipient who is sent again because nobody knew of his text', () => {
  const sendAgain = async (campaign: FrozenCampaign, attempt: number): Promise<void> => {
    const { key: messageKey } = await messageOf(campaign);
    await campaign.inside(async (trx) => {
      const { campaignKey, month } = await trx
        .selectFrom('waves')
        .where('message_key', '=', messageKey)
        .select(['campaign_key as campaignKey', 'month'])
        .executeTakeFirstOrThrow();
      const of = { accountId: campaign.account.accountId, month, campaignKey, messageKey, cohort: 0 };
      await appendLater(trx, of, [{ recipient: 1, attempt }], NOON, { round: attempt - 1 });
    });
  };

  it('is left out of the next pass once an older text of his turns out to have arrived', async () => {
    const campaign = await world.freeze(1);
    const first = await campaign.lease();
    await campaign.record(first, 'unknown');
    await sendAgain(campaign, 2);
    await campaign.record(await campaign.lease(), 'unknown');
    await sendAgain(campaign, 3);
    await apply(campaign, first, { status: 'delivered', errorCode: null });
    expect(await campaign.openLeases()).toEqual({ kind: 'skipped', count: 1 });
  });

  it('waits in one pass only, whatever is told of his text before his turn', async () => {
    const campaign = await world.freeze(1);
    const first = await campaign.lease();
    await campaign.record(first, 'unknown');
    await sendAgain(campaign, 2);
    expect(await apply(campaign, first, { errorCode: '300' })).toEqual(['applied']);
    expect(await collect(campaign)).toBe(0);
    expect((await campaign.lease()).recipients).toMatchObject([{ attempt: 2 }]);
    expect(await campaign.openLeases(NOON + 5 * MINUTE_MS)).toEqual({ kind: 'exhausted', nextDueAt: null });
  });

  it('is sent again while nothing is known of any of his texts', async () => {
    const campaign = await world.freeze(1);
    await campaign.record(await campaign.lease(), 'unknown');
    await sendAgain(campaign, 2);
    await campaign.record(await campaign.lease(), 'unknown');
    await sendAgain(campaign, 3);
    expect((await campaign.lease()).recipients).toMatchObject([{ attempt: 3 }]);
  });
});
