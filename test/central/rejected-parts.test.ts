import { expect, test } from 'vitest';
import { orderAction } from '../../db/campaign-orders.ts';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import type { MadePart } from '../../db/central/make-parts.ts';
import { retryPart, type RetryResult } from '../../db/central/retry-part.ts';
import { withAccount } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { prepareCampaign, type PrepareResult } from '../../db/prepare-campaign.ts';
import { type SeededParent, seedParent } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';
import { type DrivenCentral, driveCentral, restartOf } from './drive-central.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const HOUR_MS = 3_600_000;
const ZONE = 'America/New_York';
const db = useTestDatabase();

/** A central campaign with a part that does not go on by itself. */
interface Rejected {
  readonly central: DrivenCentral;
  readonly seeded: SeededParent;
  readonly part: MadePart;
}

/** A campaign with messages due at one and at three, of which one of two parts was rejected for a phrase that is gone again. */
async function reject(): Promise<Rejected> {
  const seeded = await seedParent(db(), [{ contacts: 1 }, { contacts: 1 }]);
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    messages: ['13:00', '15:00'].map((time) => ({
      text: `Hello at ${time}`,
      schedule: { local: `2027-01-12T${time}`, zone: ZONE },
    })),
  });
  await central.goOn(NOON);
  const [part] = await central.makeParts();
  if (part === undefined) throw new Error('No part was made.');
  expect(await prepareRefused(part)).toEqual({ kind: 'rejected' });
  return { central, seeded, part };
}

/** Prepares a part while its texts hold a refused phrase. */
async function prepareRefused({ subAccountId: accountId, campaignId }: MadePart): Promise<PrepareResult> {
  const id = newId('phr');
  const phrase = { id, phrase: 'hello', reason: 'Too plain.', effective_from: '2026-01-01' };
  await db().insertInto('refused_phrases').values(phrase).execute();
  const prepared = await withAccount(db(), accountId, (trx) =>
    prepareCampaign(trx, { accountId, campaignId, at: NOON }),
  );
  await db().deleteFrom('refused_phrases').where('id', '=', id).execute();
  return prepared;
}

/** The parent tries it again. */
async function retry(rejected: Rejected, at: number): Promise<void> {
  expect(await tryAgain(rejected, at)).toMatchObject({ kind: 'prepared_again' });
}

async function tryAgain({ central, part, seeded }: Rejected, at: number): Promise<RetryResult> {
  const { accountId, actor } = seeded.parent;
  const { subAccountId } = part;
  const wish = { accountId, campaignId: central.campaignId, subAccountId, actor, at, overdue: [] };
  return central.inParent((trx) => retryPart(trx, wish));
}

/** An operator lets it pass. */
async function overrule({ part, seeded }: Rejected, at: number): Promise<void> {
  const { actor } = seeded.parent;
  const result = await withAccount(db(), part.subAccountId, async (trx) => {
    const campaign = await lockCampaign(trx, part.campaignId);
    if (campaign === null) throw new Error('The part is gone.');
    return orderAction(trx, { campaign, name: 'overrule', args: {}, actor, at });
  });
  expect(result).toMatchObject({ kind: 'ordered' });
}

async function messagesOf({ part }: Rejected): Promise<string[]> {
  const rows = await withAccount(db(), part.subAccountId, (trx) =>
    trx
      .selectFrom('messages')
      .where('campaign_id', '=', part.campaignId)
      .select(['status', 'schedule_local'])
      .orderBy('position')
      .execute(),
  );
  return rows.map((row) => (row.status === 'scheduled' ? `at ${row.schedule_local}` : row.status));
}

const WAYS = [
  ['tries it again', retry],
  ['has it let pass by an operator', overrule],
] as const;

test.each(WAYS)('a part whose parent %s has no message that was skipped meanwhile', async (_how, goOn) => {
  const rejected = await reject();
  const { central } = rejected;
  const [first = ''] = central.messageIds;
  await central.order('pause', NOON);
  await central.goOn(NOON + 1.5 * HOUR_MS);
  await central.order('resume', NOON + 1.5 * HOUR_MS, { overdue: [{ messageId: first, do: 'skip' }] });
  await central.goOn(NOON + 1.5 * HOUR_MS);
  await goOn(rejected, NOON + 1.5 * HOUR_MS);
  expect(await messagesOf(rejected)).toEqual(['cancelled', 'at 2027-01-12T15:00']);
});

test.each(WAYS)(
  'a part whose parent %s has none either that had begun elsewhere before it was skipped',
  async (_how, goOn) => {
    const rejected = await reject();
    const { central } = rejected;
    const [first = ''] = central.messageIds;
    await central.goOn(NOON + HOUR_MS);
    await central.order('pause', NOON + HOUR_MS);
    await central.order('resume', NOON + HOUR_MS, { overdue: [{ messageId: first, do: 'skip' }] });
    await central.goOn(NOON + HOUR_MS);
    await goOn(rejected, NOON + HOUR_MS);
    expect(await messagesOf(rejected)).toEqual(['cancelled', 'at 2027-01-12T15:00']);
  },
);

test.each(WAYS)(
  'a part whose parent %s goes out at the time that it was given meanwhile',
  async (_how, goOn) => {
    const rejected = await reject();
    const { central } = rejected;
    const [first = ''] = central.messageIds;
    const { actionId } = await central.order('reschedule', NOON, {
      messages: [{ messageId: first, local: '2027-01-12T14:00', zone: ZONE }],
    });
    expect(await central.goOn(NOON, [actionId])).toMatchObject([{ state: 'applied' }]);
    await goOn(rejected, NOON);
    expect(await messagesOf(rejected)).toEqual(['at 2027-01-12T14:00', 'at 2027-01-12T15:00']);
  },
);

test('a part that a restart has stopped for its content has no message that was skipped meanwhile, once it is tried again', async () => {
  const rejected = await reject();
  const { central, part } = rejected;
  await retry(rejected, NOON);
  await central.order('stop', NOON);
  await central.goOn(NOON);
  const [first = '', second = ''] = central.messageIds;
  const again = restartOf(first, { local: '2027-01-12T13:00', zone: ZONE });
  const other = restartOf(second, { local: '2027-01-12T16:00', zone: ZONE });
  const messages = [...again.args.messages, ...other.args.messages];
  await central.order('restart', NOON, { messages }, new Map([...again.schedules, ...other.schedules]));
  await central.goOn(NOON);
  const { subAccountId: accountId, campaignId } = part;
  const input = { accountId, campaignId, at: NOON, running: [], poked: false, signals: [], asked: [] };
  expect(await withAccount(db(), accountId, (trx) => stepCampaign(trx, input))).toMatchObject({
    kind: 'prepare',
  });
  expect(await prepareRefused(part)).toEqual({ kind: 'rejected' });

  await central.goOn(NOON + HOUR_MS);
  await central.order('pause', NOON + HOUR_MS);
  await central.order('resume', NOON + HOUR_MS, { overdue: [{ messageId: first, do: 'skip' }] });
  await central.goOn(NOON + HOUR_MS);
  expect(await tryAgain(rejected, NOON + HOUR_MS)).toMatchObject({ kind: 'resumed' });
  expect(await messagesOf(rejected)).toEqual(['cancelled', 'at 2027-01-12T16:00']);
});
