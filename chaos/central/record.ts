import type { ChaosCampaign } from '../account.ts';
import type { FaultsSeen } from '../carrier-faults.ts';
import type { UnknownRecord } from '../few-unknown.ts';
import type { Bystander } from '../fingerprint.ts';
import type { HarmKind } from '../harm-draw.ts';
import type { Family } from './family.ts';
import type { Stop } from './own-orders.ts';
import type { Run } from './runs.ts';
import type { Standing } from './standing.ts';

/** How the world was between the end of Temporal's process and that of its data. */
export interface Deletion {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly standing: Standing;
  /** Parts whose run had not begun. */
  readonly waiting: number;
  /** The campaigns of parts that were not over. */
  readonly open: readonly string[];
  /** What the carrier had accepted by then. */
  readonly texts: number;
}

/** What was done and seen while a central campaign ran. */
export interface CentralRecord extends Omit<UnknownRecord, 'campaignIds' | 'faults'> {
  readonly centralId: string;
  readonly family: Family;
  /** What each text has beyond its words. */
  readonly padding: string;
  /** What the report of each part says in the end. */
  readonly reports: readonly ChaosCampaign['report'][];
  readonly kinds: readonly HarmKind[];
  readonly kills: number;
  readonly faults: FaultsSeen & { readonly throttledInStorms: number };
  /** By the pair's key. */
  readonly suppressed: readonly string[];
  readonly stoppedAt: ReadonlyMap<string, number>;
  readonly stops: readonly Stop[];
  /** Accounts that have aborted their parts. */
  readonly aborted: ReadonlySet<string>;
  readonly deletion: Deletion | null;
  /** The deletion among them. */
  readonly harmsInFanOut: number;
  readonly runs: readonly Run[];
  readonly bystander: Bystander;
}

/** What stands for an account and a number in the ledger. */
export function pairKey(address: string, number: string): string {
  return `${address} ${number}`;
}
