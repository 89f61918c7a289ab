import type { SignalActionName } from '../../domain/campaign-actions.ts';
import type { CampaignStatus } from '../../domain/campaign-status.ts';
import type { ActionAnswer } from './action-rows.ts';

/** A signal from Temporal's UI or CLI; `key` makes recording it idempotent. */
export interface SignalRequest {
  readonly name: SignalActionName;
  readonly key: string;
  readonly args: Record<string, unknown>;
}

/** What the campaign workflow asks each time it wakes. */
export interface StepInput {
  readonly accountId: string;
  readonly campaignId: string;
  /** Campaign time. */
  readonly at: number;
  /** Messages whose child workflow runs. */
  readonly running: readonly string[];
  /** Something outside has changed: hours, a sender, an expiry. Whoever sleeps is to look again. */
  readonly poked: boolean;
  readonly signals: readonly SignalRequest[];
  /** Actions for whose answer somebody waits. */
  readonly asked: readonly string[];
}

/** What the campaign workflow is to do next. Ids, counts and instants (epoch milliseconds) only. */
export interface StepPlan {
  readonly kind: 'prepare' | 'freeze' | 'run' | 'settle' | 'end';
  readonly status: CampaignStatus | 'deleted';
  readonly answers: readonly ActionAnswer[];
  /** Messages to start a child for. */
  readonly start: readonly { readonly messageId: string; readonly position: number }[];
  /** Children are to look again, because a gate has closed or something outside has changed. */
  readonly recall: boolean;
  readonly wakeAt: number | null;
  readonly recipients: number | null;
  /** The central campaign that it is a part of. */
  readonly centralId: string | null;
  readonly next: { readonly what: string; readonly at: number | null };
}
