import type { LaneRef, Lease, LeaseAnswer, LeasedRecipient } from './dispatch-store.ts';
import { cutIntoLeases, inTurn, isBulk } from './lease-parts.ts';
import {
  addToCounter,
  campaignOf,
  CARRIER_ACCOUNT,
  entryOf,
  gatesAreOpen,
  type MemoryLedger,
  type MemoryMessage,
  type MemoryWave,
  messageOf,
  scopesOfMessage,
  senderOf,
  spend,
} from './memory-ledger.ts';
import { LEASE_PACE_MS, requestIntervalMs, START_DELAY_MS_MAX, widthOfPace, widthOfSlots } from './pace.ts';
import { judgeCircuit } from './circuit.ts';
import {
  claimMoney,
  grantQuotas,
  narrowToQuotas,
  peekQuotas,
  quotasOf,
  type Range,
} from './memory-claims.ts';
import { circuitStateOf, takeMemoryProbe } from './memory-circuits.ts';
import { countInRound, isSettled } from './memory-repeats.ts';
import { paceWithin, quotaIntervalMs } from './quota.ts';
import { claimWindow } from './window-claim.ts';

/** Passes all claims in the order of PostgreSQL's store and commits leases, or says why not. */
export function openMemoryLeases(
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
  const scopes = [sender.id, CARRIER_ACCOUNT];
  const circuit = judgeCircuit(circuitStateOf(ledger, scopes));
  if (circuit.kind === 'suspend') return { kind: 'suspend', cause: 'carrier_down' };
  if (circuit.kind === 'wait') return circuit;
  const delayMs =
    Math.max(
      sender.nextFreeAt,
      sender.slowedUntil,
      ledger.carrier.nextRequestAt,
      ledger.carrier.pausedUntil,
    ) - ledger.machineNow();
  if (delayMs > START_DELAY_MS_MAX) return { kind: 'wait', delayMs: Math.ceil(delayMs) };
  const shared = peekQuotas(ledger, sender, message, at);
  if (shared !== null) return shared;
  const wave = message.waves.find(
    (one) => one.next < one.members.length && (one.dueAt === null || one.dueAt <= at),
  );
  if (wave === undefined) return { kind: 'exhausted', nextDueAt: nextDueAt(message, at) };

  const isProbe = circuit.kind === 'probe';
  const pace = paceWithin(
    sender.pace,
    quotasOf(ledger, sender).map(({ quota }) => quota),
  );
  const width = Math.min(
    widthOfSlots(slots, message.isConstant, ledger.leaseWidthMax),
    isProbe ? 1 : widthOfPace(pace),
  );
  const range = takeRange(ledger, message, pace, wave, width);
  const refused = claimMoney(ledger, message, range) ?? narrowToQuotas(ledger, sender, message, range, at);
  if (refused !== null) return refused;
  const skipped = commitRange(message, wave, range);
  if (range.people.length === 0) return { kind: 'skipped', count: skipped };
  if (isProbe) takeMemoryProbe(ledger, scopes);
  const draft = { fence, at, wave, range, isProbe, pauseMs: delayMs, closesAt: window.closesAt };
  return { kind: 'leased', leases: commitLeases(ledger, lane, message, draft) };
}

function nextDueAt(message: MemoryMessage, at: number): number | null {
  const due = message.waves.filter((one) => one.next < one.members.length).map((one) => one.dueAt ?? at);
  return due.length === 0 ? null : Math.min(...due);
}

function takeRange(
  ledger: MemoryLedger,
  message: MemoryMessage,
  pace: number | null,
  wave: MemoryWave,
  width: number,
): Range {
  const range: Range = { people: [], skips: [], indexes: [] };
  const { audience } = campaignOf(ledger, message.campaignId);
  const segmentsMax = pace === null ? Number.POSITIVE_INFINITY : (pace * LEASE_PACE_MS) / 1_000;
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

/** Grants what is left of a lease its pace once more; units of a day stay counted as they were. */
export function grantMemoryAgain(
  ledger: MemoryLedger,
  { senderId }: Lease,
  left: { readonly requests: number; readonly units: number },
): number {
  const sender = ledger.senders.get(senderId);
  if (sender === undefined) throw new Error('The sender of a lease is gone.');
  const now = ledger.machineNow();
  let startAt = now;
  for (const one of quotasOf(ledger, sender)) {
    const intervalMs = quotaIntervalMs(one.quota);
    if (intervalMs === 0) continue;
    const from = Math.max(one.nextFreeAt, now);
    one.nextFreeAt = from + left.units * intervalMs;
    startAt = Math.max(startAt, from);
  }
  const requestMs = requestIntervalMs(ledger.carrier.limit);
  if (requestMs > 0) {
    const from = Math.max(ledger.carrier.nextRequestAt, ledger.carrier.pausedUntil, now);
    ledger.carrier.nextRequestAt = from + requestMs * left.requests;
    startAt = Math.max(startAt, from);
  }
  if (sender.pace !== null) {
    const from = Math.max(sender.nextFreeAt, sender.slowedUntil, now);
    sender.nextFreeAt = from + (1_000 / sender.pace) * left.units;
    startAt = Math.max(startAt, from);
  }
  return startAt - now;
}

/** What the claims have left of the leases. */
interface Draft {
  readonly fence: number;
  /** Campaign time. */
  readonly at: number;
  readonly wave: MemoryWave;
  readonly range: Range;
  readonly isProbe: boolean;
  /** Machine milliseconds of a pause that still lasts. */
  readonly pauseMs: number;
  readonly closesAt: number | null;
}

function commitLeases(ledger: MemoryLedger, lane: LaneRef, message: MemoryMessage, draft: Draft): Lease[] {
  const { people } = draft.range;
  const parts = cutIntoLeases(people, ledger.leaseWidthMax);
  const campaign = campaignOf(ledger, message.campaignId);
  const sender = senderOf(ledger, message);
  const costMicroUsd = people.reduce((sum, person) => sum + person.costMicroUsd, 0);
  const segments = people.reduce((sum, person) => sum + person.segments, 0);
  spend(ledger, campaign.id, costMicroUsd);
  campaign.everLeased = true;
  const requestMs = requestIntervalMs(ledger.carrier.limit);
  const segmentMs = sender.pace === null ? 0 : 1_000 / sender.pace;
  const requestsAt = Math.max(ledger.carrier.nextRequestAt, ledger.carrier.pausedUntil, ledger.machineNow());
  if (requestMs > 0)
    ledger.carrier.nextRequestAt = requestsAt + requestMs * (isBulk(people) ? parts.length : people.length);
  const paceAt = Math.max(sender.nextFreeAt, sender.slowedUntil, ledger.machineNow());
  if (segmentMs > 0) sender.nextFreeAt = paceAt + segmentMs * segments;
  const shared = grantQuotas(ledger, sender, segments, draft.at);
  const startAt = Math.max(requestMs > 0 ? requestsAt : 0, segmentMs > 0 ? paceAt : 0, shared.startAt);
  const common = {
    month: '2026-01-01',
    accountId: ledger.accountId,
    messageKey: message.key,
    lane: lane.lane,
    fence: draft.fence,
    carrierAccountId: CARRIER_ACCOUNT,
    senderId: sender.id,
    from: sender.id,
    kind: 'sms',
    mediaUrls: [],
    scopes: scopesOfMessage(ledger, message),
    quotaClaims: shared.claims,
    isProbe: draft.isProbe,
    isUnlimited: Math.max(segmentMs, shared.intervalMs, requestMs) === 0 && ledger.carrier.atOnceMax === 0,
    segmentIntervalMs: Math.max(segmentMs, shared.intervalMs),
    requestIntervalMs: requestMs,
    startDelayMs: Math.max(0, draft.pauseMs, startAt - ledger.machineNow()),
    closesAt: draft.closesAt,
  } as const;
  const leases = parts.map((recipients) => {
    const id = keepLease(ledger, lane, message, draft, recipients);
    return { ...common, id, recipients, isBulk: isBulk(recipients) };
  });
  return inTurn(leases);
}

function keepLease(
  ledger: MemoryLedger,
  lane: LaneRef,
  message: MemoryMessage,
  draft: Draft,
  people: readonly LeasedRecipient[],
): number {
  const id = ledger.leases.size + 1;
  ledger.leases.set(id, {
    id,
    messageId: message.id,
    lane: lane.lane,
    repeats: draft.wave.repeats,
    people,
    segments: people.reduce((sum, person) => sum + person.segments, 0),
    costMicroUsd: people.reduce((sum, person) => sum + person.costMicroUsd, 0),
    openedAt: ledger.machineNow(),
    isOpen: true,
  });
  return id;
}
