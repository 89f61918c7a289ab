import type { Suspension } from '../domain/dispatch/dispatch-store.ts';
import type { MessageStatus } from '../domain/campaign-status.ts';
import { circuitStateOf } from '../domain/dispatch/memory-circuits.ts';
import {
  campaignOf,
  CARRIER_ACCOUNT,
  gatesAreOpen,
  messageOf,
  messagesOf,
} from '../domain/dispatch/memory-ledger.ts';
import { endMemoryMessages, moveMemoryGate } from '../domain/dispatch/memory-orders.ts';
import { finishMemoryCampaign } from '../domain/dispatch/memory-retries.ts';
import { mayBeResentInMemory } from '../domain/dispatch/memory-unknowns.ts';
import { reportOf } from '../domain/report.ts';
import type { RoundKind } from '../domain/round.ts';
import { decideSettling } from '../domain/settling.ts';
import { SEGMENT_MICRO_USD, type World } from './world.ts';

/** An order that the campaign's workflow has to apply. */
export type OrderKind = 'resume' | 'stop' | 'restart';

/** It waits for the workflow. */
interface Order {
  readonly kind: OrderKind;
  /** When it was given, as the step of the simulation. */
  readonly step: number;
  /** When its messages are to begin that it sets going, in campaign time. */
  readonly dueAt: number;
}

/** Rows about campaigns beside the ledger: holds and orders, with what the API and the campaign's step do to them. */
export interface Office {
  /** Places a hold of a kind on a campaign, once. */
  readonly hold: (campaignId: string, kind: string) => void;
  /** Closes or opens a wider gate. */
  readonly moveGate: (scope: string, by: 1 | -1) => void;
  /** False when the campaign does not allow it. `laterMs` is how long after now a restart is to begin. */
  readonly order: (campaignId: string, kind: OrderKind, laterMs?: number) => boolean;
  /** What may give up lanes of a message as lost; an operator who watches closely holds it then. */
  readonly watched: <Result>(messageId: string, work: () => Result) => Result;
  readonly suspend: (messageId: string, suspension: Suspension) => void;
  /** Orders a round of a finished campaign. */
  readonly round: (campaignId: string, kind: RoundKind) => void;
  /**
   * What the workflow does each time it wakes: applies the orders that wait, sets going what is due and who is tried
   * again by himself, and finishes the campaign at its end. Returns when it is to look again, in campaign time; null:
   * when it is woken.
   */
  readonly step: (campaignId: string, running: ReadonlySet<string>) => number | null;
  readonly isToRun: (messageId: string) => boolean;
  readonly holdsOn: (campaignId: string) => readonly string[];
  readonly isIdle: () => boolean;
}

/** The workflow looks for reports every few seconds at first; here as often as makes a difference. */
const WATCH_REPORTS_MS = 60_000;
const LOOK_AGAIN_MS = 600_000;
const SECOND_THOUGHTS_MS = 120_000;
const ALARM_ODDS = 0.8;
const ALARM_MS_MAX = 20_000;

function isOver(status: MessageStatus): boolean {
  return status === 'sent' || status === 'expired';
}

/** One on a campaign. */
interface Hold {
  readonly kind: string;
  readonly step: number;
  /** What the text costs for which there was no money; of the shortest where money is not the cause. */
  readonly textMicroUsd: number;
}

/** Told after a gate moved. */
export type OnGate = (scope: string) => void;

/** An office without holds and orders. */
export function createOffice(world: World, onGate: OnGate): Office {
  const { loop, chance, ledger, witness, trace, protocol, clock, scenario } = world;
  /** Campaigns whose owner has not waited for the carrier's last words. */
  const hastened = new Set<string>();
  const holds = new Map<string, Hold[]>();
  const orders = new Map<string, Order[]>();
  const holdsOf = (campaignId: string) => holds.get(campaignId) ?? [];
  const moveGate = (scope: string, by: 1 | -1): void => {
    moveMemoryGate(ledger, scope, by);
    const holdsNow = ledger.gates.get(scope) ?? 0;
    if (holdsNow === 1 && by === 1) witness.gateClosed(scope);
    if (by === 1) witness.named(scope, protocol.inFlight(ledger, scope));
    else if (holdsNow === 0) witness.released(scope);
    onGate(scope);
  };
  /** A hold of the same kind is enough, unless an order that lifts it waits already. */
  const hold = (campaignId: string, kind: string, textMicroUsd: number = SEGMENT_MICRO_USD): void => {
    const isLiftedSoon = (step: number): boolean =>
      (orders.get(campaignId) ?? []).some((order) => order.kind !== 'stop' && order.step >= step);
    if (holdsOf(campaignId).some((one) => one.kind === kind && !isLiftedSoon(one.step))) return;
    holds.set(campaignId, [...holdsOf(campaignId), { kind, step: loop.step(), textMicroUsd }]);
    trace('office', `places ${kind} on ${campaignId}`);
    moveGate(campaignId, 1);
  };
  /** What was placed after the order stays. */
  const lift = (campaignId: string, orderedAt: number, isMeant: (kind: string) => boolean): void => {
    const all = holdsOf(campaignId);
    const kept = all.filter((one) => protocol.staysHeld(one.step, orderedAt) || !isMeant(one.kind));
    holds.set(campaignId, kept);
    for (let count = kept.length; count < all.length; count += 1) moveGate(campaignId, -1);
  };
  /** Whether what suspended a campaign persists, so that neither a resume nor a restart is carried out. */
  const persists = (campaignId: string, { kind, textMicroUsd }: Hold): boolean => {
    const { spentMicroUsd, budgetMicroUsd, senderId } = campaignOf(ledger, campaignId);
    const isPaid = (spent: number, limit: number | null): boolean =>
      limit === null || spent + textMicroUsd <= limit;
    const { openMs, probeInMs } = circuitStateOf(ledger, [senderId, CARRIER_ACCOUNT]);
    return (
      (kind === 'suspend spend_limit' && !isPaid(ledger.spentMicroUsd, ledger.spendLimitMicroUsd)) ||
      (kind === 'suspend campaign_budget' && !isPaid(spentMicroUsd, budgetMicroUsd)) ||
      (kind === 'suspend carrier_down' && openMs !== null && probeInMs > 0)
    );
  };
  const apply = (campaignId: string, { kind, step, dueAt }: Order): void => {
    trace('office', `applies ${kind} to ${campaignId}`);
    const held = holdsOf(campaignId).map((one) => one.kind);
    const isKept = (): boolean => holdsOf(campaignId).some((one) => persists(campaignId, one));
    switch (kind) {
      case 'stop':
        endMemoryMessages(ledger, campaignId);
        break;
      case 'restart':
        if (!held.includes('stop') || isKept()) break;
        protocol.restart(ledger, campaignId, { dueAt, expiresAt: null });
        for (const { id, status } of messagesOf(ledger, campaignId)) {
          if (!isOver(status)) witness.setGoing(id, { dueAt, expiresAt: null });
        }
        lift(campaignId, step, () => true);
        break;
      case 'resume':
        if (held.includes('stop')) break;
        if (isKept()) break;
        lift(campaignId, step, (one) => one !== 'stop');
        break;
    }
  };

  /** Where a campaign stands whose messages are all over. */
  const settle = (campaignId: string): number | null => {
    const at = clock.now();
    const campaign = campaignOf(ledger, campaignId);
    const messages = messagesOf(ledger, campaignId);
    const settling = decideSettling(
      {
        endedAt: Math.max(...messages.map(({ endedAt }) => endedAt ?? at)),
        awaited: messages.reduce(
          (sum, { counters }) => sum + reportOf(counters, campaign.audience?.length ?? 0).awaitingReport,
          0,
        ),
        isRetried: messages.some(({ retries }) => retries.length > 0),
        isResent: mayBeResentInMemory(ledger, campaignId),
      },
      at,
    );
    if (settling.kind !== 'finish') {
      return Math.min(settling.until, at + (settling.kind === 'list' ? LOOK_AGAIN_MS : WATCH_REPORTS_MS));
    }
    trace('office', `finishes ${campaignId}`);
    finishMemoryCampaign(ledger, campaign);
    if (!scenario.isHasty || hastened.has(campaignId)) return null;
    hastened.add(campaignId);
    round(campaignId, 'resend_unknown');
    // On second thoughts he waits a little, and much may be proved meanwhile.
    moveGate(campaignId, 1);
    loop.after(SECOND_THOUGHTS_MS, () => moveGate(campaignId, -1));
    return at;
  };
  const round: Office['round'] = (campaignId, kind) => {
    if (!campaignOf(ledger, campaignId).isFinished) return;
    for (const { id, expiresAfterMs } of messagesOf(ledger, campaignId)) {
      const at = clock.now();
      const numbers = protocol.round(ledger, id, kind, at);
      if (numbers.length === 0) continue;
      witness.repeated(id, numbers, kind);
      witness.setGoing(id, { dueAt: at, expiresAt: expiresAfterMs === null ? null : at + expiresAfterMs });
      trace('office', `${kind}: ${numbers.length} of ${id}`);
    }
  };

  const lostOf = (messageId: string): number =>
    [...messageOf(ledger, messageId).entries.values()]
      .flatMap(({ attempts }) => attempts)
      .filter(({ cause }) => cause === 'worker_lost').length;
  const alarm = (campaignId: string): void => {
    const { senderId } = campaignOf(ledger, campaignId);
    const scope = chance.pick('alarm.scope', [campaignId, senderId, ledger.accountId]);
    trace('office', `holds ${scope}, since somebody was lost`);
    moveGate(scope, 1);
    loop.after(chance.whole('alarm.for', 1, ALARM_MS_MAX), () => moveGate(scope, -1));
  };

  return {
    hold,
    moveGate,
    watched: (messageId, work) => {
      const before = lostOf(messageId);
      const result = work();
      const isLost = lostOf(messageId) > before;
      if (isLost && scenario.isWatched && chance.strikes('alarm', ALARM_ODDS)) {
        alarm(messageOf(ledger, messageId).campaignId);
      }
      return result;
    },
    order: (campaignId, kind, laterMs = 0) => {
      // Nothing can be ordered of a campaign that is over, and only a stopped one is restarted, but not resumed.
      if (campaignOf(ledger, campaignId).isFinished) return false;
      const isStopped = holdsOf(campaignId).some((one) => one.kind === 'stop');
      if (kind !== 'stop' && (kind === 'restart') !== isStopped) return false;
      if (kind === 'stop') hold(campaignId, 'stop');
      const order = { kind, step: loop.step(), dueAt: clock.now() + laterMs };
      orders.set(campaignId, [...(orders.get(campaignId) ?? []), order]);
      return true;
    },
    suspend: (messageId, { cause, textMicroUsd }) =>
      hold(messageOf(ledger, messageId).campaignId, `suspend ${cause}`, textMicroUsd),
    round,
    step: (campaignId, running) => {
      const waiting = orders.get(campaignId) ?? [];
      orders.delete(campaignId);
      for (const order of waiting) apply(campaignId, order);
      if (holdsOf(campaignId).length > 0 || campaignOf(ledger, campaignId).isFinished) return null;
      const at = clock.now();
      const next = protocol.begin(ledger, campaignId, (id) => running.has(id), at);
      protocol.reopen(ledger, campaignId, at);
      const messages = messagesOf(ledger, campaignId);
      return running.size > 0 || messages.some(({ status }) => !isOver(status)) ? next : settle(campaignId);
    },
    isToRun: (messageId) => {
      const message = messageOf(ledger, messageId);
      return message.status === 'sending' && gatesAreOpen(ledger, message);
    },
    holdsOn: (campaignId) => holdsOf(campaignId).map((one) => one.kind),
    isIdle: () =>
      [...orders.values()].every((waiting) => waiting.length === 0) &&
      [...ledger.campaigns.values()].every(({ isFinished }) => isFinished),
  };
}
