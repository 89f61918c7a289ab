import { classify } from '../carrier/plivo/classify.ts';
import type { HttpReport } from '../carrier/plivo/http-report.ts';
import { ASKING_TIMES, type AskingTimes } from '../domain/carrier-list.ts';
import { type CarrierNotes, listenToCarriers } from '../domain/dispatch/carrier-watch.ts';
import type { DispatchStore } from '../domain/dispatch/dispatch-store.ts';
import { type LaneDeps, type LaneReport, type LaneRun, runLane } from '../domain/dispatch/lane.ts';
import { memoryInFlight } from '../domain/dispatch/memory-in-flight.ts';
import type { MemoryLedger } from '../domain/dispatch/memory-ledger.ts';
import {
  beginMemoryMessages,
  expireMemoryMessage,
  orderMemoryRound,
  planMemoryMessage,
  restartMemoryCampaign,
} from '../domain/dispatch/memory-orders.ts';
import {
  applyMemoryReport,
  type MemoryReport,
  type MemoryVerdict,
} from '../domain/dispatch/memory-reports.ts';
import { reopenMemoryMessages } from '../domain/dispatch/memory-retries.ts';
import { createMemoryDispatchStore } from '../domain/dispatch/memory-store.ts';
import { createMemoryUnknownStore } from '../domain/dispatch/memory-unknowns.ts';
import type { MessagePlan } from '../domain/dispatch/message-plan.ts';
import type { PostAnswer } from '../domain/dispatch/post-lease.ts';
import { reconcileCarrier } from '../domain/dispatch/reconcile.ts';
import { createMemoryPermits } from '../domain/dispatch/memory-permits.ts';
import { createAtOnce } from '../domain/dispatch/at-once.ts';
import type { PermitStore } from '../domain/dispatch/permits.ts';
import type { UnknownStore } from '../domain/dispatch/unknown-store.ts';
import { createWatchMemory } from '../domain/dispatch/watch-memory.ts';
import type { RoundKind } from '../domain/round.ts';

/** What dispatch consists of; a mutant replaces a part of it with one that is wrong. */
export interface Protocol {
  /** The ledger's transactions. */
  readonly store: (ledger: MemoryLedger) => DispatchStore;
  /** The store as a worker calls it, behind its connection. */
  readonly remoteStore: (store: DispatchStore, ledger: MemoryLedger) => DispatchStore;
  /** The store of a worker that also writes down how the carrier answers. */
  readonly listen: (store: DispatchStore, notes: CarrierNotes) => DispatchStore;
  /** What a worker has heard. */
  readonly watch: typeof createWatchMemory;
  /** A worker's permits for what carriers take at once, and how it keeps within them. */
  readonly permits: (ledger: MemoryLedger, workerId: string) => PermitStore;
  readonly atOnce: typeof createAtOnce;
  readonly runLane: (deps: LaneDeps, run: LaneRun) => Promise<LaneReport>;
  readonly classify: (report: HttpReport) => PostAnswer;
  /** Whether a callback carries the carrier's signature and our MAC. */
  readonly isGenuine: (callback: { readonly isSigned: boolean }) => boolean;
  readonly applyReport: (ledger: MemoryLedger, report: MemoryReport) => MemoryVerdict;
  readonly plan: (ledger: MemoryLedger, messageId: string, at: number) => MessagePlan;
  readonly expire: (ledger: MemoryLedger, messageId: string) => number;
  readonly restart: typeof restartMemoryCampaign;
  readonly begin: typeof beginMemoryMessages;
  /** Orders a round; returns the numbers of those in it. */
  readonly round: (ledger: MemoryLedger, messageId: string, kind: RoundKind, at: number) => string[];
  /** Sets messages going again of whom somebody is tried again by himself. */
  readonly reopen: (ledger: MemoryLedger, campaignId: string, at: number) => void;
  /** Unknown attempts, and how the carrier's list is asked for them. */
  readonly unknowns: (ledger: MemoryLedger) => UnknownStore;
  readonly reconcile: typeof reconcileCarrier;
  readonly askingTimes: AskingTimes;
  /** How many texts a hold on a scope names: those that may still be on their way. */
  readonly inFlight: (ledger: MemoryLedger, scope: string) => number;
  /** Whether a hold outlives an order that lifts such holds; both as the step of the simulation. */
  readonly staysHeld: (placedAt: number, orderedAt: number) => boolean;
}

/** The protocol as it is. */
export const PROTOCOL: Protocol = {
  store: createMemoryDispatchStore,
  remoteStore: (store) => store,
  listen: listenToCarriers,
  watch: createWatchMemory,
  permits: createMemoryPermits,
  atOnce: createAtOnce,
  runLane,
  classify,
  isGenuine: (callback) => callback.isSigned,
  applyReport: applyMemoryReport,
  plan: planMemoryMessage,
  expire: expireMemoryMessage,
  restart: restartMemoryCampaign,
  begin: beginMemoryMessages,
  round: orderMemoryRound,
  reopen: reopenMemoryMessages,
  unknowns: createMemoryUnknownStore,
  reconcile: reconcileCarrier,
  askingTimes: ASKING_TIMES,
  inFlight: memoryInFlight,
  staysHeld: (placedAt, orderedAt) => placedAt > orderedAt,
};
