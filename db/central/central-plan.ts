import type { CampaignStatus } from '../../domain/campaign-status.ts';
import type { PartState } from '../../domain/central/part-states.ts';
import type { ActionAnswer } from '../campaign-step/action-rows.ts';
import type { StepInput } from '../campaign-step/step-plan.ts';

/** Slices that hand parts over, or in which an order is carried out, at a time: beyond them they only wait for one another. */
export const SLICES_AT_ONCE_MAX = 4;

/** What the workflow of a central campaign asks each time it wakes. */
export interface CentralStepInput extends Omit<StepInput, 'running' | 'poked'> {
  /** Slices whose child workflow runs. */
  readonly running: readonly number[];
  /** How many of them still hand their parts over. */
  readonly handing: number;
}

/** An order that is carried out in the parts of one slice. */
export interface SliceOrder {
  readonly actionId: string;
  readonly slice: number;
}

/** What it is to do next. Ids, counts and instants (epoch milliseconds) only. */
export interface CentralPlan {
  readonly kind: 'prepare' | 'fan_out' | 'wake' | 'run' | 'end';
  readonly status: CampaignStatus | 'deleted';
  readonly answers: readonly ActionAnswer[];
  /** Slices to start a child for. */
  readonly start: readonly number[];
  /** Of `fan_out`: what to carry out. */
  readonly orders: readonly SliceOrder[];
  readonly wakeAt: number | null;
  /** How many parts are in each state. */
  readonly states: Readonly<Partial<Record<PartState, number>>>;
  readonly next: { readonly what: string; readonly at: number | null };
}
