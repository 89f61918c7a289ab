import { judgeCircuit } from './circuit.ts';
import type { LaneRef, Lease, LeaseAnswer, LeasedRecipient } from './dispatch-store.ts';
import { cutIntoLeases, inTurn, isBulk } from './lease-parts.ts';
import { circuitStateOf, takeMemoryProbe } from './memory-circuits.ts';
import { claimMoney, narrowToQuotas, peekQuotas, quotasOf } from './memory-claims.ts';
import { grantMemoryLeases } from './memory-grants.ts';
import {
  campaignOf,
  CARRIER_ACCOUNT,
  gatesAreOpen,
  type MemoryLedger,
  messageOf,
  scopesOfMessage,
  senderOf,
  spend,
} from './memory-ledger.ts';
import { commitRange, type Range, takeRange } from './memory-range.ts';
import type { MemoryMessage, MemoryWave } from './memory-rows.ts';
import { waitForPaceMs, widthOfPace, widthOfSlots } from './pace.ts';
import { paceWithin } from './quota.ts';
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
  if (message.status !== 'sending' || !gatesAreOpen(ledger, message)) return { kind: 'held' };
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
  const waitMs = waitForPaceMs(delayMs);
  if (waitMs > 0) return { kind: 'wait', delayMs: waitMs };
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
  const requests = isBulk(people) ? parts.length : people.length;
  const { startAt, ...granted } = grantMemoryLeases(ledger, sender, { requests, units: segments }, draft.at);
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
    isProbe: draft.isProbe,
    isUnlimited:
      granted.segmentIntervalMs === 0 && granted.requestIntervalMs === 0 && ledger.carrier.atOnceMax === 0,
    ...granted,
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
    openedAt: ledger.machineNow(),
    isOpen: true,
  });
  return id;
}
