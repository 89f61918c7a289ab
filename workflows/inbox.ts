import { condition, defineSignal, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow';
import type { CampaignActivities } from '../activities/campaign-activities.ts';
import type { SignalActionName } from '../domain/campaign-actions.ts';
import { ACTION_NAMES, type ActionOrder, type ActionReply, APPLY_UPDATE, POKE_SIGNAL } from './contract.ts';

type StepPlan = Awaited<ReturnType<CampaignActivities['stepCampaign']>>;
type SignalRequest = Parameters<CampaignActivities['stepCampaign']>[0]['signals'][number];

/** Some row of the campaign has changed. */
export const poke = defineSignal(POKE_SIGNAL);
/** Apply the actions that wait, and answer for one of them. */
export const apply = defineUpdate<ActionReply, [ActionOrder]>(APPLY_UPDATE);
/**
 * What reaches the workflow of a campaign from outside: pokes, Updates that await an action's answer, signals by name.
 * Handlers only take note; the next step reads and answers.
 */
export function createInbox() {
  let changes = 0;
  let poked = false;
  const asked: string[] = [];
  let signals: SignalRequest[] = [];
  const replies: Record<string, ActionReply> = {};

  setHandler(poke, () => {
    changes += 1;
    poked = true;
  });
  setHandler(apply, async ({ actionId }) => {
    changes += 1;
    asked.push(actionId);
    try {
      await condition(() => replies[actionId] !== undefined);
      return replies[actionId] ?? { state: 'refused', reason: null };
    } finally {
      asked.splice(asked.indexOf(actionId), 1);
    }
  });
  for (const name of ACTION_NAMES) {
    setHandler(defineSignal<[unknown?]>(name), (args) => {
      changes += 1;
      signals.push({ name, key: signalKey(name, changes), args: argsOf(args) });
    });
  }

  return {
    changes: () => changes,
    isIdle: () => asked.length === 0,
    asked: () => [...asked],
    takePokes: () => {
      const taken = poked;
      poked = false;
      return taken;
    },
    takeSignals: () => {
      const taken = signals;
      signals = [];
      return taken;
    },
    answer: (answers: StepPlan['answers']) => {
      for (const { actionId, state, reason } of answers) replies[actionId] = { state, reason };
    },
  };
}

function signalKey(name: SignalActionName, change: number): string {
  return `${workflowInfo().runId}/${name}/${change}`;
}

function argsOf(args: unknown): Record<string, unknown> {
  return typeof args === 'object' && args !== null && !Array.isArray(args) ? { ...args } : {};
}
