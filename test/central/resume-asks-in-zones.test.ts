import { expect, test } from 'vitest';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import type { MadePart } from '../../db/central/make-parts.ts';
import { stepCentral } from '../../db/central/step-central.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { liftHold } from '../../db/lift-hold.ts';
import { overdueMessages } from '../../db/overdue-messages.ts';
import { placeHold } from '../../db/place-hold.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { type SeededParent, seedParent } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';
import { type DrivenCentral, driveCentral } from './drive-central.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const HOUR_MS = 3_600_000;
const ZONE = 'America/New_York';
const WEST = 'America/Los_Angeles';
const ASKS = { state: 'refused', reason: expect.stringMatching(/^More than one message is overdue/) };
const APPLIED = { state: 'applied' };
const db = useTestDatabase();

/** So many hours after noon in New York. */
const hours = (count: number): number => NOON + count * HOUR_MS;
/** After the first two have begun in New York, and before the third has. */
const BEGUN = hours(2.5);
/** When the first two of the three are past in Los Angeles. */
const PAST = hours(5.5);

interface Begun {
  readonly seeded: SeededParent;
  readonly central: DrivenCentral;
  readonly east: MadePart;
  readonly west: MadePart;
}

/** A campaign with messages at one, two and half past four everywhere, of which the first two have begun in New York. */
async function begin(): Promise<Begun> {
  const seeded = await seedParent(
    db(),
    [ZONE, WEST].map((timeZone) => ({ contacts: 1, timeZone })),
  );
  const central = await driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    timing: 'local_time',
    messages: ['13:00', '14:00', '16:30'].map((time) => ({
      text: time,
      schedule: { local: `2027-01-12T${time}`, zone: ZONE },
    })),
  });
  await central.goOn(NOON);
  const [east, west] = await central.makeParts();
  if (east === undefined || west === undefined) throw new Error('Parts are missing.');
  for (const part of [east, west]) {
    const { subAccountId: accountId, campaignId } = part;
    await withAccount(db(), accountId, (trx) => prepareCampaign(trx, { accountId, campaignId, at: NOON }));
  }
  for (const at of [hours(1), hours(2)]) {
    await central.goOn(at);
    for (const part of [east, west]) await stepPart(part, at);
  }
  expect(await statusesOf(central)).toEqual(['sending', 'sending', 'scheduled']);
  expect(await statusesOfPart(east)).toEqual(['sending', 'sending', 'scheduled']);
  expect(await statusesOfPart(west)).toEqual(['scheduled', 'scheduled', 'scheduled']);
  return { seeded, central, east, west };
}

/** What the run of a part does when it wakes, which freezes the audience beside its steps. */
async function stepPart({ subAccountId: accountId, campaignId }: MadePart, at: number): Promise<void> {
  await withAccount(db(), accountId, async (trx) => {
    const input = { accountId, campaignId, at, running: [], poked: false, signals: [], asked: [] };
    const { kind } = await stepCampaign(trx, input);
    if (kind !== 'freeze') return;
    await trx
      .updateTable('campaigns')
      .set({ audience_frozen_at: new Date(at) })
      .where('id', '=', campaignId)
      .execute();
    await stepCampaign(trx, input);
  });
}

function statusesOf({ campaignId, inParent }: DrivenCentral): Promise<string[]> {
  return inParent((trx) => readStatuses(trx, campaignId));
}

function statusesOfPart({ subAccountId, campaignId }: MadePart): Promise<string[]> {
  return withAccount(db(), subAccountId, (trx) => readStatuses(trx, campaignId));
}

/** Of the messages in their order. */
async function readStatuses(trx: Trx, campaignId: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .select('status')
    .orderBy('position')
    .execute();
  return rows.map(({ status }) => status);
}

/** The places of the messages that the API asks about. */
async function asked({ campaignId, inParent, messageIds }: DrivenCentral, at: number): Promise<number[]> {
  const overdue = await inParent((trx) => overdueMessages(trx, campaignId, at));
  return overdue.map((id) => messageIds.indexOf(id));
}

/** What becomes of a resume with these words on the first messages. */
async function resume(central: DrivenCentral, at: number, ...words: readonly ('send' | 'skip')[]) {
  const overdue = words.map((word, place) => ({ messageId: central.messageIds[place], do: word }));
  const { actionId } = await central.order('resume', at, { overdue });
  const [answer] = await central.goOn(at, [actionId]);
  return answer;
}

/** A hold of an operator on the whole campaign. */
async function hold({ central, seeded }: Begun, at: number): Promise<string> {
  const { accountId, actor } = seeded.parent;
  const placed = await central.inParent((trx) =>
    placeHold(trx, {
      accountId,
      scope: 'campaign',
      scopeId: central.campaignId,
      reason: 'It has to be looked at.',
      actor,
      byOperator: true,
      at,
    }),
  );
  if (placed.kind !== 'placed') throw new Error(placed.kind);
  return placed.hold.id;
}

async function lift({ central, seeded }: Begun, holdId: string, at: number) {
  const by = { actor: seeded.parent.actor, isOperator: true, at };
  return central.inParent((trx) => liftHold(trx, holdId, by, () => undefined));
}

test('a resume asks about messages that became due in a later zone during the pause, of which the first zone has begun', async () => {
  const { central, east, west } = await begin();
  await central.order('pause', BEGUN);
  await central.goOn(BEGUN);
  // The third is overdue in New York, where it is the only one.
  expect(await asked(central, PAST)).toEqual([0, 1]);
  expect(await resume(central, PAST)).toMatchObject(ASKS);
  expect(await resume(central, PAST, 'skip')).toMatchObject(ASKS);
  expect(await resume(central, PAST, 'skip', 'send')).toMatchObject(APPLIED);
  for (const part of [east, west]) await stepPart(part, PAST);
  expect(await statusesOfPart(west)).toEqual(['cancelled', 'sending', 'scheduled']);
  expect(await statusesOfPart(east)).toEqual(['sending', 'sending', 'sending']);
});

test('one message that is overdue in each zone is no question', async () => {
  const { central } = await begin();
  await central.order('pause', BEGUN);
  await central.goOn(BEGUN);
  // The first in Los Angeles, the third in New York.
  const at = hours(4.6);
  expect(await asked(central, at)).toEqual([]);
  expect(await resume(central, at)).toMatchObject(APPLIED);
});

test('all messages that are overdue in some zone where several are need a word', async () => {
  const { central } = await begin();
  await central.order('pause', BEGUN);
  await central.goOn(BEGUN);
  const at = hours(8);
  expect(await asked(central, at)).toEqual([0, 1, 2]);
  expect(await resume(central, at, 'skip', 'skip')).toMatchObject(ASKS);
  expect(await resume(central, at, 'skip', 'skip', 'send')).toMatchObject(APPLIED);
});

test('what became due in a zone before the pause has begun there, and is no question', async () => {
  const { central } = await begin();
  await central.order('pause', hours(4.25));
  await central.goOn(hours(4.25));
  expect(await asked(central, PAST)).toEqual([]);
  expect(await resume(central, PAST)).toMatchObject(APPLIED);
});

test.each(['done', 'aborted', 'rejected', 'stopped'] as const)(
  'a zone in which every part is %s is no question',
  async (state) => {
    const { central, west } = await begin();
    await central.order('pause', BEGUN);
    await central.goOn(BEGUN);
    await central.inParent((trx) =>
      trx
        .updateTable('central_parts')
        .set({ state })
        .where('central_id', '=', central.campaignId)
        .where('campaign_id', '=', west.campaignId)
        .execute(),
    );
    expect(await asked(central, PAST)).toEqual([]);
    expect(await resume(central, PAST)).toMatchObject(APPLIED);
  },
);

test('holds without a break count from the first of them, and one after a resume by itself', async () => {
  const { central } = await begin();
  await central.order('pause', BEGUN);
  await central.order('suspend', hours(4.25));
  expect(await asked(central, PAST)).toEqual([0, 1]);
  expect(await resume(central, hours(4.25))).toMatchObject(APPLIED);
  await central.order('pause', hours(4.5));
  expect(await asked(central, PAST)).toEqual([]);
});

test('a pause by a signal counts from the step that records it', async () => {
  const { central, seeded } = await begin();
  const { accountId } = seeded.parent;
  const input = { accountId, campaignId: central.campaignId, running: [], handing: 0, asked: [] };
  const signals = [{ name: 'pause', key: 'signal/1', args: {} } as const];
  await central.inParent((trx) => stepCentral(trx, { ...input, at: BEGUN, signals }));
  expect(await asked(central, PAST)).toEqual([0, 1]);
});

test('what an earlier resume has said is no question of a later one', async () => {
  const { central } = await begin();
  await central.order('pause', BEGUN);
  await central.goOn(BEGUN);
  expect(await resume(central, PAST, 'send', 'send')).toMatchObject(APPLIED);
  await central.order('pause', PAST + 1);
  // The third is overdue in Los Angeles alone, where the first two have begun.
  expect(await asked(central, hours(8))).toEqual([]);
});

test('what was skipped is no question while another hold is lifted later', async () => {
  const begun = await begin();
  const { central } = begun;
  const holdId = await hold(begun, BEGUN);
  await central.order('pause', BEGUN);
  await central.goOn(BEGUN);
  expect(await resume(central, PAST, 'skip', 'skip')).toMatchObject(APPLIED);
  expect(await asked(central, hours(8))).toEqual([]);
  expect(await lift(begun, holdId, hours(8))).toMatchObject({ kind: 'ordered' });
});

test('what was sent where it was overdue is no question where it had begun', async () => {
  const begun = await begin();
  const { central } = begun;
  const holdId = await hold(begun, BEGUN);
  await central.order('pause', BEGUN);
  await central.goOn(BEGUN);
  // The first is overdue in Los Angeles, and the third in New York, where the first has begun.
  expect(await resume(central, hours(4.6), 'send')).toMatchObject(APPLIED);
  expect(await lift(begun, holdId, hours(4.7))).toMatchObject({ kind: 'ordered' });
});

test('a hold on the campaign is not lifted over several messages that became due in a later zone behind it', async () => {
  const begun = await begin();
  const { central } = begun;
  const holdId = await hold(begun, BEGUN);
  await central.goOn(BEGUN);
  expect(await lift(begun, holdId, PAST)).toEqual({ kind: 'overdue' });

  // Lifted in time, and carried out when it is late.
  const lifted = await lift(begun, holdId, hours(4.25));
  if (lifted.kind !== 'ordered') throw new Error(lifted.kind);
  expect(await central.goOn(PAST, [lifted.actionId])).toMatchObject([
    { state: 'refused', reason: expect.stringMatching(/^More than one message became due behind this hold/) },
  ]);

  // As it says: paused, lifted, and resumed with a word for each, which counts from the hold on.
  await central.order('pause', PAST);
  const again = await lift(begun, holdId, PAST);
  if (again.kind !== 'ordered') throw new Error(again.kind);
  expect(await central.goOn(PAST, [again.actionId])).toMatchObject([APPLIED]);
  expect(await asked(central, PAST)).toEqual([0, 1]);
  expect(await resume(central, PAST)).toMatchObject(ASKS);
  expect(await resume(central, PAST, 'skip', 'send')).toMatchObject(APPLIED);
});
