import type { LaneRef, Lease, LeaseAnswer, LeasedRecipient } from './dispatch-store.ts';
import {
  addToCounter,
  campaignOf,
  entryOf,
  gatesAreOpen,
  isInFlight,
  type MemoryLedger,
  type MemoryMessage,
  type MemorySender,
  type MemoryWave,
  messageOf,
  scopesOfMessage,
  senderOf,
  spend,
} from './memory-ledger.ts';
import {
  MAY_BE_GIVEN_BACK_MS,
  RECLAIM_DELAY_MS,
  LEASE_PACE_MS,
  LEASE_WIDTH_MAX,
  leaseWidth,
  requestIntervalMs,
  START_DELAY_MS_MAX,
} from './pace.ts';
import { countInRound, isSettled } from './memory-repeats.ts';
import { claimWindow } from './window-claim.ts';

type Refusal = Exclude<LeaseAnswer, { kind: 'leased' }>;

/** A range of a wave in the making. */
interface Range {
  readonly people: LeasedRecipient[];
  /** Who is refused, by the index in the wave. */
  readonly skips: { readonly index: number; readonly recipient: number; readonly reason: string }[];
  /** Index of each of the people in the wave. */
  readonly indexes: number[];
}

/** Passes all claims in the order of PostgreSQL's store and commits a lease, or says why not. */
export function openMemoryLease(
  ledger: MemoryLedger,
  lane: LaneRef,
  fence: number,
  at: number,
  slots: number,
): LeaseAnswer {
  const message = messageOf(ledger, lane.messageId);
  const sender = senderOf(ledger, message);
  if (message.fences.get(lane.lane) !== fence) return { kind: 'fenced' };
  if (!gatesAreOpen(ledger, message)) return { kind: 'held' };
  if (sender.isDisabled) return { kind: 'suspend', cause: 'sender_disabled' };
  const window = claimWindow({ ...ledger, expiresAt: message.expiresAt }, at);
  if (window.kind !== 'open') return window;
  const delayMs =
    Math.max(
      sender.nextFreeAt,
      sender.slowedUntil,
      ledger.carrier.nextRequestAt,
      ledger.carrier.pausedUntil,
    ) - ledger.machineNow();
  if (delayMs > START_DELAY_MS_MAX) return { kind: 'wait', delayMs: Math.ceil(delayMs) };
  const wave = message.waves.find(
    (one) => one.next < one.members.length && (one.dueAt === null || one.dueAt <= at),
  );
  if (wave === undefined) return { kind: 'exhausted', nextDueAt: nextDueAt(message, at) };

  const width = Math.min(
    message.isConstant ? LEASE_WIDTH_MAX : Math.min(LEASE_WIDTH_MAX, slots),
    leaseWidth(sender.pace),
  );
  const range = takeRange(ledger, message, sender, wave, width);
  const refused = claimMoney(ledger, message, range);
  if (refused !== null) return refused;
  const skipped = commitRange(message, wave, range);
  if (range.people.length === 0) return { kind: 'skipped', count: skipped };
  return { kind: 'leased', lease: commitLease(ledger, lane, fence, message, wave, range, window.closesAt) };
}

function nextDueAt(message: MemoryMessage, at: number): number | null {
  const due = message.waves.filter((one) => one.next < one.members.length).map((one) => one.dueAt ?? at);
  return due.length === 0 ? null : Math.min(...due);
}

function takeRange(
  ledger: MemoryLedger,
  message: MemoryMessage,
  sender: MemorySender,
  wave: MemoryWave,
  width: number,
): Range {
  const range: Range = { people: [], skips: [], indexes: [] };
  const { audience } = campaignOf(ledger, message.campaignId);
  const segmentsMax = sender.pace === null ? Number.POSITIVE_INFINITY : (sender.pace * LEASE_PACE_MS) / 1_000;
  const end = Math.min(wave.next + width, wave.members.length);
  for (let index = wave.next; index < end; index += 1) {
    const member = wave.members[index];
    const person = member === undefined ? undefined : audience?.[member.recipient - 1];
    if (member === undefined || person === undefined)
      throw new Error('A wave names somebody who is not there.');
    const settled =
      wave.repeats !== null && isSettled(entryOf(message, member.recipient), member.attempt)
        ? 'accepted_meanwhile'
        : undefined;
    const reason = ledger.suppressed.get(person.number) ?? settled;
    if (reason !== undefined) {
      range.skips.push({ index, recipient: member.recipient, reason });
      continue;
    }
    const segments = message.segments * (range.people.length + 1);
    if (segments > segmentsMax && range.people.length > 0) break;
    range.indexes.push(index);
    range.people.push({
      recipient: member.recipient,
      attempt: member.attempt,
      number: person.number,
      numberHash: person.number,
      text: message.isConstant ? message.id : `${message.id} ${person.name}`,
      segments: message.segments,
      costMicroUsd: message.segments * ledger.segmentMicroUsd,
    });
  }
  return range;
}

/** The campaign's budget, then the account's limit. */
function claimMoney(ledger: MemoryLedger, message: MemoryMessage, range: Range): Refusal | null {
  const campaign = campaignOf(ledger, message.campaignId);
  const claims = [
    { cause: 'campaign_budget', limit: campaign.budgetMicroUsd, spent: campaign.spentMicroUsd },
    { cause: 'spend_limit', limit: ledger.spendLimitMicroUsd, spent: ledger.spentMicroUsd },
  ] as const;
  for (const { cause, limit, spent } of claims) {
    if (limit === null || narrowToMoney(range, limit, spent)) continue;
    // A suspension would halt what other lanes have paid for already, and that may be given back, too.
    return isUnderWay(ledger, campaign.id)
      ? { kind: 'wait', delayMs: RECLAIM_DELAY_MS }
      : { kind: 'suspend', cause };
  }
  return null;
}

/** Keeps whom the rest of the limit pays for, and those refused before the first who is cut off; false for nobody. */
function narrowToMoney(range: Range, limit: number, spent: number): boolean {
  let claimed = spent;
  const count = range.people.findIndex((person) => {
    claimed += person.costMicroUsd;
    return claimed > limit;
  });
  const cut = count > 0 ? range.indexes[count] : undefined;
  if (cut !== undefined) {
    range.people.length = count;
    range.indexes.length = count;
    const kept = range.skips.filter((skip) => skip.index < cut);
    range.skips.splice(0, range.skips.length, ...kept);
  }
  return count !== 0;
}

/** A lease whose reports came first stays open for a while, although nobody of it is under way. */
function isUnderWay(ledger: MemoryLedger, campaignId: string): boolean {
  const since = ledger.machineNow() - MAY_BE_GIVEN_BACK_MS;
  return [...ledger.leases.values()].some(
    (lease) =>
      lease.isOpen &&
      lease.openedAt > since &&
      messageOf(ledger, lease.messageId).campaignId === campaignId &&
      isInFlight(ledger, lease),
  );
}

function commitRange(message: MemoryMessage, wave: MemoryWave, range: Range): number {
  wave.next = Math.max(...range.indexes, ...range.skips.map((skip) => skip.index)) + 1;
  for (const skip of range.skips) {
    // Whoever is left out of a wave that repeats stays what he was.
    if (wave.repeats !== null) {
      countInRound(message, wave.repeats, 'left_out');
      continue;
    }
    entryOf(message, skip.recipient).skip = skip.reason;
    addToCounter(message, `skipped:${skip.reason}`, 1);
    if (wave.number > 0) addToCounter(message, 'left_deferral', 1);
  }
  return range.skips.length;
}

function commitLease(
  ledger: MemoryLedger,
  lane: LaneRef,
  fence: number,
  message: MemoryMessage,
  { repeats }: MemoryWave,
  { people }: Range,
  closesAt: number | null,
): Lease {
  const campaign = campaignOf(ledger, message.campaignId);
  const sender = senderOf(ledger, message);
  const isBulk = people.length > 1 && people.every((person) => person.text === people[0]?.text);
  const costMicroUsd = people.reduce((sum, person) => sum + person.costMicroUsd, 0);
  const segments = people.reduce((sum, person) => sum + person.segments, 0);
  spend(ledger, campaign.id, costMicroUsd);
  campaign.everLeased = true;
  const requestMs = requestIntervalMs(ledger.carrier.limit);
  const segmentMs = sender.pace === null ? 0 : 1_000 / sender.pace;
  const requestsAt = Math.max(ledger.carrier.nextRequestAt, ledger.carrier.pausedUntil, ledger.machineNow());
  if (requestMs > 0) ledger.carrier.nextRequestAt = requestsAt + requestMs * (isBulk ? 1 : people.length);
  const paceAt = Math.max(sender.nextFreeAt, sender.slowedUntil, ledger.machineNow());
  if (segmentMs > 0) sender.nextFreeAt = paceAt + segmentMs * segments;
  const startAt = Math.max(requestMs > 0 ? requestsAt : 0, segmentMs > 0 ? paceAt : 0);
  const id = ledger.leases.size + 1;
  ledger.leases.set(id, {
    id,
    messageId: message.id,
    lane: lane.lane,
    repeats,
    people,
    segments,
    costMicroUsd,
    openedAt: ledger.machineNow(),
    isOpen: true,
  });
  return {
    id,
    month: '2026-01-01',
    accountId: ledger.accountId,
    messageKey: message.key,
    lane: lane.lane,
    fence,
    carrierAccountId: 'carrier',
    senderId: sender.id,
    from: sender.id,
    kind: 'sms',
    mediaUrls: [],
    scopes: scopesOfMessage(ledger, message),
    recipients: people,
    quotaClaims: [],
    isBulk,
    isProbe: false,
    segmentIntervalMs: segmentMs,
    requestIntervalMs: requestMs,
    startDelayMs: Math.max(0, startAt - ledger.machineNow()),
    closesAt,
  };
}
