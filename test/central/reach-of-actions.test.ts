import { describe, expect, test } from 'vitest';
import { orderAction } from '../../db/campaign-orders.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { listParts } from '../../db/central/list-parts.ts';
import type { MadePart } from '../../db/central/make-parts.ts';
import { withAccount } from '../../db/database.ts';
import { listMessages } from '../../db/messages.ts';
import { suspendCampaign } from '../../db/suspend-campaign.ts';
import type { CampaignActionName } from '../../domain/campaign-actions.ts';
import { PART_STATES, type PartState } from '../../domain/central/part-states.ts';
import { type SeededParent, seedParent } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';
import { type DrivenCentral, driveCentral, refusePart, restartOf, stepPart } from './drive-central.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const ZONE = 'America/New_York';
const LATER = { local: '2027-01-13T10:00', zone: ZONE };
const TEXT = 'Golden chance';
const db = useTestDatabase();

/** An action as it is ordered in a row of the table. */
interface Ordered {
  readonly name: CampaignActionName;
  /** What is ordered just before it, since its status demands it. */
  readonly after?: CampaignActionName;
  /** In which of its arguments the message is given its new time. */
  readonly moves?: 'messages' | 'overdue';
  /** Of a part that stands so: whether it counts as reached or as over, and how it stands once the order is carried out. */
  readonly parts: Readonly<Record<PartState, `${'reached' | 'done'}: ${string}`>>;
}

/** What no action reaches. */
const OVER = { aborted: 'done: aborted', done: 'done: done' } as const;
/** What only an action that ends or restarts the whole reaches. */
const AT_REST = { rejected: 'done: rejected', stopped: 'done: stopped', ...OVER } as const;
const ABORTED = 'reached: aborted';
const RESTARTED = 'reached: handed_over, at the new time';
const CLOSED = {
  waiting: 'reached: paused',
  handed_over: 'reached: paused',
  paused: 'reached: paused',
  suspended: 'reached: suspended',
  ...AT_REST,
} as const;
const MOVED = {
  waiting: 'reached: waiting, at the new time',
  handed_over: 'reached: handed_over, at the new time',
  paused: 'reached: paused, at the new time',
  suspended: 'reached: suspended, at the new time',
  ...AT_REST,
} as const;
const ENDED = {
  waiting: ABORTED,
  handed_over: ABORTED,
  paused: ABORTED,
  suspended: ABORTED,
  rejected: ABORTED,
  stopped: ABORTED,
  ...OVER,
} as const;

const ACTIONS: Readonly<Record<string, Ordered>> = {
  pause: { name: 'pause', parts: CLOSED },
  suspend: { name: 'suspend', parts: CLOSED },
  resume: {
    name: 'resume',
    after: 'pause',
    parts: {
      waiting: 'reached: waiting',
      handed_over: 'reached: handed_over',
      paused: 'reached: paused',
      suspended: 'reached: suspended',
      ...AT_REST,
    },
  },
  'resume with a new time for a message': {
    name: 'resume',
    after: 'pause',
    moves: 'overdue',
    parts: MOVED,
  },
  reschedule: { name: 'reschedule', moves: 'messages', parts: MOVED },
  stop: {
    name: 'stop',
    parts: {
      waiting: 'reached: stopped',
      handed_over: 'reached: stopped',
      paused: 'reached: stopped',
      suspended: 'reached: stopped',
      rejected: 'reached: stopped',
      stopped: 'done: stopped',
      ...OVER,
    },
  },
  restart: {
    name: 'restart',
    after: 'stop',
    moves: 'messages',
    parts: {
      waiting: 'reached: waiting, at the new time',
      handed_over: RESTARTED,
      paused: RESTARTED,
      suspended: RESTARTED,
      rejected: RESTARTED,
      stopped: RESTARTED,
      ...OVER,
    },
  },
  abort: { name: 'abort', parts: ENDED },
  'abort, ordered before a stop has come to them': { name: 'abort', after: 'stop', parts: ENDED },
  delete: { name: 'delete', parts: ENDED },
};

describe.each(Object.entries(ACTIONS))('the accounts of the action %s', (_title, ordered) => {
  test('are those whose parts it has changed or keeps, and those whose parts were over', async () => {
    const seeded = await seedParent(db(), [{ contacts: 1 }]);
    const found: Partial<Record<PartState, string>> = {};
    for (const state of PART_STATES) found[state] = await orderFor(seeded, state, ordered);
    expect(found).toEqual(ordered.parts);
  });
});

/** Orders it of a campaign whose only part stands so. Resolves with whether it was reached, and how it stands then. */
async function orderFor(seeded: SeededParent, state: PartState, ordered: Ordered): Promise<string> {
  const central = await launch(seeded);
  await bring(central, seeded, state);
  if (ordered.after !== undefined) await central.order(ordered.after, NOON);
  const { args, schedules } = restartOf(central.messageIds[0] ?? '', LATER);
  const words = args.messages.map((message) => ({ ...message, do: 'schedule' }));
  const { accounts } = await central.order(
    ordered.name,
    NOON,
    ordered.moves === undefined ? {} : { [ordered.moves]: words },
    schedules,
  );
  await central.goOn(NOON);
  const reached = accounts?.reached === 1 && accounts.done === 0;
  const over = accounts?.reached === 0 && accounts.done === 1;
  if (reached === over) throw new Error(`It is neither or both: ${JSON.stringify(accounts)}.`);
  const stands = await shownOf(central);
  const isMoved = await hasNewTime(central, seeded);
  return `${reached ? 'reached' : 'done'}: ${stands}${isMoved ? ', at the new time' : ''}`;
}

function launch(seeded: SeededParent): Promise<DrivenCentral> {
  return driveCentral(db(), seeded, {
    at: NOON,
    start: 'scheduled',
    messages: [{ text: TEXT, schedule: { local: '2027-01-12T13:00', zone: ZONE } }],
  }).then(async (central) => {
    await central.goOn(NOON);
    return central;
  });
}

/** Has the only part stand so, as it comes to that in life. */
async function bring(central: DrivenCentral, { children }: SeededParent, state: PartState): Promise<void> {
  const [child] = children;
  if (state === 'waiting') return;
  const [part] = await central.makeParts();
  if (part === undefined || child === undefined) throw new Error('No part was made.');
  switch (state) {
    case 'handed_over':
      await stepPart(db(), part, NOON);
      break;
    case 'paused':
      await orderOfAccount(part, child.actor, 'pause');
      break;
    case 'aborted':
      await orderOfAccount(part, child.actor, 'abort');
      break;
    case 'suspended':
      await withAccount(db(), part.subAccountId, (trx) =>
        suspendCampaign(trx, { accountId: part.subAccountId, campaignId: part.campaignId }, 'no_sender'),
      );
      break;
    case 'rejected':
      await refusePart(db(), part, TEXT, NOON);
      break;
    case 'stopped':
      // As at a restart, which has stopped it instead.
      await change(part, { was_restarted: true });
      await refusePart(db(), part, TEXT, NOON);
      break;
    case 'done':
      await change(part, { status: 'finished' });
      break;
  }
  expect(await central.states()).toEqual([state]);
}

function change(
  part: MadePart,
  columns: { readonly was_restarted: true } | { readonly status: 'finished' },
): Promise<unknown> {
  return withAccount(db(), part.subAccountId, (trx) =>
    trx.updateTable('campaigns').set(columns).where('id', '=', part.campaignId).execute(),
  );
}

async function orderOfAccount(
  { campaignId, subAccountId }: MadePart,
  actor: SeededParent['parent']['actor'],
  name: 'pause' | 'abort',
): Promise<void> {
  const ordered = await withAccount(db(), subAccountId, async (trx) => {
    const campaign = await lockCampaign(trx, campaignId);
    if (campaign === null) throw new Error('The part is gone.');
    return orderAction(trx, { campaign, name, args: {}, actor, at: NOON });
  });
  if (ordered.kind === 'refused') throw new Error(ordered.reason);
}

/** How the only part stands as its parent is shown it. */
async function shownOf({ campaignId, inParent }: DrivenCentral): Promise<string> {
  const { items } = await inParent((trx) => listParts(trx, campaignId, { offset: 0, limit: 1 }));
  return items[0]?.state ?? 'gone';
}

/** Whether the message of the part has the new time, once its run has taken a step, or has it as it is made. */
async function hasNewTime(central: DrivenCentral, { children }: SeededParent): Promise<boolean> {
  await central.makeParts();
  const accountId = children[0]?.accountId ?? '';
  const own = await central.inParent((trx) =>
    trx
      .selectFrom('central_parts')
      .where('central_id', '=', central.campaignId)
      .select('campaign_id as id')
      .executeTakeFirstOrThrow(),
  );
  const campaignId = own.id;
  if (campaignId === null) return false;
  await stepPart(db(), { number: 0, subAccountId: accountId, campaignId }, NOON);
  const messages = await withAccount(db(), accountId, (trx) => listMessages(trx, campaignId));
  return messages.some(({ scheduleLocal }) => scheduleLocal === LATER.local);
}
