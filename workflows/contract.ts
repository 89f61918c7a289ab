import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { SIGNAL_ACTIONS, type SignalActionName } from '../domain/campaign-actions.ts';

/** Workflows and short activities. */
export const CONTROL_QUEUE = 'control';
/** Lanes, which mostly wait: a worker gives them a thousand slots or more. */
export const DISPATCH_QUEUE = 'dispatch';

/** One place spells a workflow's id. */
export const campaignWorkflowId = (campaignId: string): string => `campaign/${campaignId}`;
/** A message's run; `position` counts from 1 within its campaign. */
export const messageWorkflowId = (campaignId: string, position: number): string =>
  `${campaignWorkflowId(campaignId)}/message/${position}`;
/** An import's run. */
export const importWorkflowId = (importId: string): string => `import/${importId}`;

/** The run of one message on trial to one number. */
export const testSendWorkflowId = (testId: string): string => `test-send/${testId}`;

/** The run that resolves unknown attempts of a carrier account. */
export const reconcileWorkflowId = (carrierAccountId: string): string => `reconcile/${carrierAccountId}`;

/** The run of a campaign that a parent sends for its sub-accounts. */
export const centralWorkflowId = (campaignId: string): string => `central-send/${campaignId}`;
/** The run of a slice of its parts; `slice` counts from 0. */
export const sliceWorkflowId = (campaignId: string, slice: number): string =>
  `${centralWorkflowId(campaignId)}/slice/${slice}`;

/**
 * What clock a campaign follows. `real`: the later of the workflow's and the machine's. `virtual`: the
 * workflow's plus the time elapsed in the activity, for tests and rehearsals, only with the sandbox.
 */
export type TimeMode = 'real' | 'virtual';

/** Ids only: histories are kept for long and read by many. */
export interface CampaignInput {
  readonly accountId: string;
  readonly campaignId: string;
  readonly time: TimeMode;
}

/** Input of a message's workflow. */
export interface MessageInput extends CampaignInput {
  readonly messageId: string;
  readonly position: number;
}

/**
 * Input of a slice's workflow. `hand_over`: it starts the run of every part that is not over, and then awaits them.
 * `start_missing`: it starts those that were found to have none.
 */
export interface SliceInput extends CampaignInput {
  readonly slice: number;
  readonly phase: 'hand_over' | 'start_missing' | 'await';
}

/** Input of an import's workflow. */
export interface ImportInput {
  readonly accountId: string;
  readonly importId: string;
}

/** Input of the workflow of a message on trial. */
export interface TestSendInput {
  readonly accountId: string;
  readonly testId: string;
  readonly time: TimeMode;
}

/** Input of the workflow that resolves unknown attempts. */
export interface ReconcileInput {
  readonly carrierAccountId: string;
  readonly time: TimeMode;
}

/** What an Update of an action carries: the row says everything else. */
export interface ActionOrder {
  readonly actionId: string;
}

/** What an Update of an action answers. */
export interface ActionReply {
  readonly state: 'applied' | 'refused';
  readonly reason: string | null;
}

/** Updates and signals of the same name, one pair an action. */
export const ACTION_NAMES: readonly SignalActionName[] = SIGNAL_ACTIONS;
/** Tells a campaign that some row has changed: it looks again. */
export const POKE_SIGNAL = 'poke';
/** Tells a slice that its parts' states have changed. */
export const LOOK_SIGNAL = 'look';
/** Tells a central campaign that a slice of it, by its number, has handed its parts over. */
export const HANDED_SIGNAL = 'handed';
/** Answers when an action that waits in the database has been applied or refused. */
export const APPLY_UPDATE = 'apply';
/** Answers what the campaign is doing and what comes next. */
export const STATUS_QUERY = 'status';

/** The answer of the status query. */
export interface CampaignView {
  readonly status: string;
  readonly next: string;
  readonly nextAt: string | null;
  readonly recipients: number | null;
  /** The central campaign that it is a part of. */
  readonly centralId: string | null;
}

/** Typed search attributes, registered and confirmed before a worker polls. */
export const CARILLON_STATUS = defineSearchAttributeKey('CarillonStatus', SearchAttributeType.KEYWORD);
/** The account that a run belongs to. */
export const CARILLON_ACCOUNT = defineSearchAttributeKey('CarillonAccount', SearchAttributeType.KEYWORD);
/** When the next message is due. */
export const CARILLON_SEND_AT = defineSearchAttributeKey('CarillonSendAt', SearchAttributeType.DATETIME);

/** The central campaign that a run belongs to: its own, a slice's, or a part's. */
export const CARILLON_CENTRAL = defineSearchAttributeKey('CarillonCentral', SearchAttributeType.KEYWORD);

/** Everything that has to be registered with the namespace. */
export const SEARCH_ATTRIBUTES = {
  CarillonStatus: 'KEYWORD',
  CarillonAccount: 'KEYWORD',
  CarillonSendAt: 'DATETIME',
  CarillonCentral: 'KEYWORD',
} as const;
