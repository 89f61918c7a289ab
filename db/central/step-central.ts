import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { isLive } from '../../domain/campaign-status.ts';
import { FINAL_PART_STATES } from '../../domain/central/part-states.ts';
import { instantOf } from '../../domain/schedule.ts';
import { readAnswers } from '../campaign-step/action-rows.ts';
import { recordSignals } from '../campaign-step/record-signals.ts';
import { beginMessages } from '../campaign-step/step-messages.ts';
import { resolveCampaignAlerts } from '../campaign-alerts.ts';
import type { Trx } from '../database.ts';
import { closedScopes } from '../gates.ts';
import { showStatus } from '../holds.ts';
import { appendLog } from '../log.ts';
import { listMessages, type Message } from '../messages.ts';
import { applyCentralActions } from './apply-central-actions.ts';
import { type CentralPlan, type CentralStepInput, SLICES_AT_ONCE_MAX } from './central-plan.ts';
import { countParts } from './central-sends.ts';
import { zonesOfParts } from './zones-of-parts.ts';

const SYSTEM: Actor = { id: 'system', via: 'system' };

/**
 * One step of a central campaign, in one transaction, as `stepCampaign` is of one that texts: records signals as actions,
 * carries waiting actions on, writes the status, and says which slices are to run. It reads the parent's rows and
 * nothing of a sub-account, so a run that was started anew goes on where the parts stand.
 */
export async function stepCentral(trx: Trx, input: CentralStepInput): Promise<CentralPlan> {
  const { campaignId } = input;
  const { status: before } = await lockCentral(trx, campaignId);
  // Also of one that is held before it is prepared: a resume asks about what is overdue by then.
  if (isLive(before)) await resolveDueTimes(trx, campaignId, await listMessages(trx, campaignId), input.at);
  await recordSignals(trx, { ...input, running: [], poked: false });
  const { orders, wakes } = await applyCentralActions(trx, input);
  await takeNews(trx, input);
  const answers = await readAnswers(trx, input.asked);
  const states = Object.fromEntries(await countParts(trx, campaignId));
  const current = await lockCentral(trx, campaignId);
  const base = { answers, states, orders, start: [], wakeAt: null, next: { what: 'parts', at: null } };
  const status = current.deleted_at === null ? current.status : 'deleted';

  if (wakes) return { ...base, kind: 'wake', status };
  if (orders.length > 0) return { ...base, kind: 'fan_out', status };
  if (status === 'deleted' || !isLive(status)) {
    return { ...base, kind: 'end', status, next: { what: 'nothing', at: null } };
  }
  if (current.prepared_at === null && (status === 'paused' || status === 'suspended')) {
    return { ...base, kind: 'run', status, next: { what: 'resume', at: null } };
  }
  if (current.prepared_at === null) {
    return { ...base, kind: 'prepare', status, next: { what: 'prepare', at: input.at } };
  }
  return planProgress(trx, input, base);
}

/** A slice that does not run looks at its parts when it begins: nobody has to be told of them. */
async function takeNews(trx: Trx, { campaignId, running }: CentralStepInput): Promise<void> {
  await trx
    .updateTable('central_parts')
    .set({ is_news: false })
    .where('central_id', '=', campaignId)
    .where('number', 'in', (parts) => {
      const news = parts
        .selectFrom('central_parts')
        .where('central_id', '=', campaignId)
        .where('is_news', '=', true)
        .select('number')
        .orderBy('number')
        .forUpdate()
        .skipLocked();
      return running.length === 0 ? news : news.where('slice', 'not in', [...running]);
    })
    .execute();
}

async function planProgress(
  trx: Trx,
  input: CentralStepInput,
  base: Omit<CentralPlan, 'kind' | 'status'>,
): Promise<CentralPlan> {
  const { campaignId, at } = input;
  const slices = await readSlices(trx, campaignId);
  const messages = await listMessages(trx, campaignId);
  const isHeld = (await closedScopes(trx, [campaignId])).size > 0;
  const due = await resolveDueTimes(trx, campaignId, messages, at);
  if (!isHeld) {
    const begin = due.flatMap(({ message, dueAt }) => (dueAt <= at ? [message] : []));
    await beginMessages(trx, begin, at);
  }
  if (slices.every((slice) => slice.open === 0) && input.running.length === 0) {
    await finish(trx, input);
    return { ...base, kind: 'end', status: 'finished', next: { what: 'nothing', at: null } };
  }
  const status = await showStatus(trx, campaignId);
  const upcoming = due.flatMap(({ dueAt }) => (dueAt <= at ? [] : [dueAt]));
  const wakeAt = upcoming.length === 0 ? null : Math.min(...upcoming);
  const next = { what: wakeAt === null ? 'parts' : 'message', at: wakeAt };
  return { ...base, kind: 'run', status, start: startable(input, slices), wakeAt, next };
}

interface Slice {
  readonly slice: number;
  /** Parts that are not over. */
  readonly open: number;
}

async function readSlices(trx: Trx, campaignId: string): Promise<Slice[]> {
  return trx
    .selectFrom('central_parts')
    .where('central_id', '=', campaignId)
    .select([
      'slice',
      sql<number>`(count(*) filter (where state <> all (${[...FINAL_PART_STATES]})))::int`.as('open'),
    ])
    .groupBy('slice')
    .orderBy('slice')
    .execute();
}

function startable(input: CentralStepInput, slices: readonly Slice[]): number[] {
  return slices
    .filter(({ slice, open }) => open > 0 && !input.running.includes(slice))
    .slice(0, Math.max(0, SLICES_AT_ONCE_MAX - input.handing))
    .map(({ slice }) => slice);
}

interface Due {
  readonly message: Message;
  readonly dueAt: number;
}

/**
 * When messages are due that have not begun, or were given a new time where they have not: at the same local time
 * everywhere, in the zone that comes first. The parts resolve their own; this is what the parent is shown.
 */
async function resolveDueTimes(
  trx: Trx,
  campaignId: string,
  messages: readonly Message[],
  at: number,
): Promise<Due[]> {
  const waiting = messages.filter((message) => isAwaited(message, at));
  if (waiting.length === 0) return [];
  const zones = await zonesOf(trx, campaignId);
  const resolved: Due[] = [];
  for (const message of waiting) {
    const dueAt = earliestOf(message, zones) ?? message.dueAt?.getTime() ?? at;
    if (dueAt !== message.dueAt?.getTime()) {
      await trx
        .updateTable('messages')
        .set({ due_at: new Date(dueAt), expires_at: new Date(dueAt + message.expiresAfterMs) })
        .where('id', '=', message.id)
        .execute();
    }
    resolved.push({ message, dueAt });
  }
  return resolved;
}

function isAwaited({ dueAt, status }: Message, at: number): boolean {
  return status === 'scheduled' || (status === 'sending' && (dueAt === null || dueAt.getTime() > at));
}

function earliestOf(
  { scheduleLocal: local, scheduleZone }: Message,
  zones: readonly string[],
): number | null {
  if (local === null || scheduleZone === null) return null;
  const instants = (zones.length === 0 ? [scheduleZone] : zones).map((zone) => instantOf({ local, zone }));
  const known = instants.filter((instant) => instant !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** The zones in which a local time counts; none where all parts are due at one instant. */
async function zonesOf(trx: Trx, campaignId: string): Promise<string[]> {
  const { timing } = await trx
    .selectFrom('central_sends')
    .where('campaign_id', '=', campaignId)
    .select('timing')
    .executeTakeFirstOrThrow();
  return timing === 'local_time' ? (await zonesOfParts(trx, campaignId)).map(({ timeZone }) => timeZone) : [];
}

/** Every part is over: how each ended stands in its own row. */
async function finish(trx: Trx, { accountId, campaignId, at }: CentralStepInput): Promise<void> {
  await trx
    .updateTable('messages')
    .set((set) => ({ status: 'sent' as const, ended_at: new Date(at), version: set('version', '+', 1) }))
    .where('campaign_id', '=', campaignId)
    .where('status', 'in', ['scheduled', 'sending'])
    .execute();
  const { status: from } = await lockCentral(trx, campaignId);
  await trx
    .updateTable('campaigns')
    .set((set) => ({
      status: 'finished' as const,
      finished_at: new Date(at),
      version: set('version', '+', 1),
    }))
    .where('id', '=', campaignId)
    .execute();
  await appendLog(trx, { accountId, campaignId, what: 'finish', from, to: 'finished', actor: SYSTEM });
  await resolveCampaignAlerts(trx, campaignId);
}

async function lockCentral(trx: Trx, campaignId: string) {
  return trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .select(['status', 'prepared_at', 'deleted_at'])
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}
