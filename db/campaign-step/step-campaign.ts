import type { Actor } from '../../domain/actor.ts';
import { type CampaignStatus, isLive } from '../../domain/campaign-status.ts';
import { INSTALLATION } from '../../domain/hold.ts';
import { FREEZE_LEAD_MS } from '../../domain/schedule.ts';
import { type ActionAnswer, readAnswers } from './action-rows.ts';
import { applyActions } from './apply-actions.ts';
import type { Standings } from './carrier-question.ts';
import { recordSignals } from './record-signals.ts';
import { reopenForRetries } from './reopen-messages.ts';
import { planSettling, reportsDueAt } from './settle-campaign.ts';
import { beginMessages, readStepMessages, resolveDueTimes, type StepMessage } from './step-messages.ts';
import type { StepInput, StepPlan } from './step-plan.ts';
import { unfreezeAudience } from '../audience.ts';
import { appendLog } from '../log.ts';
import { centralScopesOf } from '../central/central-scopes.ts';
import type { Trx } from '../database.ts';
import { closedScopes, lockOpenGates } from '../gates.ts';
import { showStatus } from '../holds.ts';
import { senderIsSpamming } from '../sender-reports.ts';
import { suspendCampaign } from '../suspend-campaign.ts';
import { outsideCause } from '../suspend-causes.ts';

const SYSTEM: Actor = { id: 'system', via: 'system' };

/**
 * One step of a campaign, in one transaction: records signals as actions, applies the actions that wait,
 * brings schedules up to date, writes the status and says what to do until when. It reads everything from
 * the rows, so that a run which was started anew goes on where the campaign stands. Throws a CarrierQuestion where a
 * resume needs a carrier's word that is not among `standings`.
 */
export async function stepCampaign(
  trx: Trx,
  input: StepInput,
  standings: Standings = new Map(),
): Promise<StepPlan> {
  const campaign = await lockCampaign(trx, input.campaignId);
  if (isLive(campaign.status)) {
    const isStarted = campaign.start_mode !== 'later';
    await resolveDueTimes(trx, await readStepMessages(trx, input.campaignId), input.at, isStarted);
  }
  await recordSignals(trx, input);
  await applyActions(trx, input, standings);
  const answers = await readAnswers(trx, input.asked);
  const current = await lockCampaign(trx, input.campaignId);
  const { audience_size: recipients, central_id: centralId } = campaign;
  const recall = input.running.length > 0;
  const nothing = { answers, start: [], wakeAt: null, recipients, centralId, recall };

  if (current.deleted_at !== null || !isLive(current.status)) {
    const status = current.deleted_at === null ? current.status : 'deleted';
    return { ...nothing, kind: 'end', status, next: { what: 'nothing', at: null } };
  }
  if (current.status === 'paused' || current.status === 'suspended') {
    return { ...nothing, kind: 'run', status: current.status, next: { what: 'resume', at: null } };
  }
  if (current.prepared_at === null) {
    return { ...nothing, kind: 'prepare', status: current.status, next: { what: 'prepare', at: input.at } };
  }
  if (await isHeldCentrally(trx, current)) {
    // As behind its own gate nothing begins, so that messages which become due meanwhile are asked about.
    const status = await showStatus(trx, input.campaignId);
    return { ...nothing, kind: 'run', status, next: { what: 'resume', at: null } };
  }
  const cause = await outsideCause(trx, input.campaignId, input.at);
  if (cause !== null) {
    await suspendCampaign(trx, input, cause);
    return { ...nothing, kind: 'run', status: 'suspended', next: { what: 'resume', at: null } };
  }
  return planProgress(trx, input, current, answers);
}

/** Whether the parent holds the whole campaign that this one is a part of. */
async function isHeldCentrally(trx: Trx, campaign: LockedCampaign): Promise<boolean> {
  const { central_id: centralId, centralScopes } = campaign;
  if (centralId === null || !centralScopes.includes(centralId)) return false;
  return (await closedScopes(trx, [centralId])).size > 0;
}

async function planProgress(
  trx: Trx,
  input: StepInput,
  campaign: LockedCampaign,
  answers: readonly ActionAnswer[],
): Promise<StepPlan> {
  const isStarted = campaign.start_mode !== 'later';
  const messages = await resolveDueTimes(
    trx,
    await reopenForRetries(trx, input, await readStepMessages(trx, input.campaignId)),
    input.at,
    isStarted,
  );
  const { audience_size: recipients, central_id: centralId } = campaign;
  const base = { answers, recipients, centralId, recall: input.poked && input.running.length > 0 };
  if (!isStarted) {
    const status = await showStatus(trx, input.campaignId);
    return { ...base, kind: 'run', status, start: [], wakeAt: null, next: { what: 'start', at: null } };
  }

  const unsent = messages.filter((message) => message.status === 'scheduled');
  const firstDueAt = earliest(messages.filter((message) => message.dueAt !== null && !message.isOver));
  await trx
    .updateTable('campaigns')
    .set({ first_due_at: firstDueAt === null ? null : new Date(firstDueAt) })
    .where('id', '=', input.campaignId)
    .where('ever_leased', '=', false)
    .execute();
  const freezeAt =
    campaign.audience_timing === 'launch'
      ? input.at
      : firstDueAt === null
        ? null
        : firstDueAt - FREEZE_LEAD_MS;
  if (campaign.audience_frozen_at === null && freezeAt !== null && freezeAt <= input.at) {
    const status = await showStatus(trx, input.campaignId);
    return {
      ...base,
      kind: 'freeze',
      status,
      start: [],
      wakeAt: null,
      next: { what: 'freeze', at: input.at },
    };
  }
  if (
    campaign.audience_frozen_at !== null &&
    !campaign.ever_leased &&
    freezeAt !== null &&
    freezeAt > input.at
  ) {
    // A reschedule moved the first message away: whoever joins the lists until then belongs to the audience.
    await unfreezeAudience(trx, input.campaignId);
  }

  const ready = messages.filter(
    (message) =>
      !input.running.includes(message.id) &&
      (message.status === 'sending' || (message.status === 'scheduled' && isDue(message, input.at))),
  );
  if (ready.length > 0 && (await senderIsSpamming(trx, input.campaignId))) {
    // Those that were being sent when the reports came were suspended by them; what begins afterwards is not to go on.
    await suspendCampaign(trx, input, 'spam');
    const next = { what: 'resume', at: null };
    return { ...base, kind: 'run', status: 'suspended', start: [], wakeAt: null, next };
  }
  const begun = await beginMessages(trx, ready, input.at);
  const status = await showStatus(trx, input.campaignId);
  await logProgress(trx, input, { from: campaign.status, to: status, begun });
  const start = await startable(trx, input, campaign, ready);
  const children = start.map((message) => ({ messageId: message.id, position: message.position }));

  if (messages.every((message) => message.isOver) && input.running.length === 0) {
    const plan = await planSettling(trx, input, messages, status);
    return { ...base, ...plan, recall: false };
  }
  const upcoming = earliest(unsent.filter((message) => !isDue(message, input.at)));
  const thawed = campaign.audience_frozen_at === null ? freezeAt : null;
  const reportsAt = await reportsDueAt(trx, input, messages);
  const wakeAt = minOf([upcoming, thawed !== null && thawed > input.at ? thawed : null, reportsAt]);
  const next = start.length < ready.length ? { what: 'hold', at: null } : { what: 'message', at: upcoming };
  return { ...base, kind: 'run', status, start: children, wakeAt, next };
}

/**
 * What begins by itself. From started to sending and back says nothing that the messages' own lines do not, and may
 * be many times a minute.
 */
async function logProgress(
  trx: Trx,
  input: StepInput,
  progress: {
    readonly from: CampaignStatus;
    readonly to: CampaignStatus;
    readonly begun: readonly string[];
  },
): Promise<void> {
  const { accountId, campaignId } = input;
  const { from, to, begun } = progress;
  for (const id of begun) {
    await appendLog(trx, {
      accountId,
      campaignId,
      subject: { kind: 'message', id },
      what: 'begin',
      from: 'scheduled',
      to: 'sending',
      actor: SYSTEM,
    });
  }
  const isInMotion = (status: CampaignStatus): boolean => status === 'started' || status === 'sending';
  if (from === to || (isInMotion(from) && isInMotion(to))) return;
  await appendLog(trx, { accountId, campaignId, what: 'progress', from, to, actor: SYSTEM });
}

/**
 * Those whose gates are all open. The child of another would end at once, and be started again, and so on; whoever
 * opens a gate wakes the campaigns that wait for it.
 */
async function startable(
  trx: Trx,
  input: StepInput,
  { sender_id: senderId, centralScopes }: LockedCampaign,
  messages: readonly StepMessage[],
): Promise<readonly StepMessage[]> {
  if (messages.length === 0) return [];
  const wide = [INSTALLATION, input.accountId, senderId ?? '', ...centralScopes];
  if (!(await areOpen(trx, wide))) return [];
  const closed = await closedScopes(trx, [input.campaignId, ...messages.map((message) => message.id)]);
  return closed.has(input.campaignId) ? [] : messages.filter((message) => !closed.has(message.id));
}

/**
 * Whether gates are open that are opened without the campaign's row. Whoever opens one wakes those whom he finds waiting, so
 * what is closed is looked at once more behind its lock: he comes before that, or once this step can be seen.
 */
async function areOpen(trx: Trx, scopeIds: readonly string[]): Promise<boolean> {
  return (await closedScopes(trx, scopeIds)).size === 0 || lockOpenGates(trx, scopeIds);
}

type LockedCampaign = Awaited<ReturnType<typeof lockCampaign>>;

async function lockCampaign(trx: Trx, campaignId: string) {
  return trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .select([
      'status',
      'start_mode',
      'prepared_at',
      'deleted_at',
      'ever_leased',
      'audience_timing',
      'audience_frozen_at',
      'audience_size',
      'sender_id',
      'central_id',
    ])
    .select(centralScopesOf('campaigns').as('centralScopes'))
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}

function isDue(message: StepMessage, at: number): boolean {
  return message.dueAt !== null && message.dueAt <= at;
}

function minOf(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((instant) => instant !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function earliest(messages: readonly StepMessage[]): number | null {
  return minOf(messages.map((message) => message.dueAt));
}
