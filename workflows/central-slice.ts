import {
  ChildWorkflowCancellationType,
  condition,
  continueAsNew,
  defineSignal,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy } from '@temporalio/common';
import type { CentralActivities } from '../activities/central-activities.ts';
import { campaign } from './campaign.ts';
import {
  campaignWorkflowId,
  CARILLON_ACCOUNT,
  CARILLON_CENTRAL,
  CARILLON_STATUS,
  centralWorkflowId,
  HANDED_SIGNAL,
  LOOK_SIGNAL,
  type SliceInput,
} from './contract.ts';
import { linkTo } from './run-links.ts';

type SliceStanding = Awaited<ReturnType<CentralActivities['readSlice']>>;
type MadePart = Awaited<ReturnType<CentralActivities['makeParts']>>[number];

const DAY_MS = 24 * 60 * 60_000;
/** Beyond these, starts would only wait for one another. */
const STARTS_AT_ONCE = 20;

const { readSlice, readMissing, noteStarted } = proxyLocalActivities<CentralActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '30 seconds' },
  summary: 'Read how the parts stand, or note which have a run',
});
const { makeParts } = proxyActivities<CentralActivities>({
  startToCloseTimeout: '2 minutes',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '30 seconds' },
  summary: "Make the parts' campaigns",
});

/** The states of its parts have changed, or a run of one is missing. */
export const look = defineSignal(LOOK_SIGNAL);
/** Told to its central campaign: so many slices hand over at a time, and this one has. */
export const handed = defineSignal<[number]>(HANDED_SIGNAL);

/**
 * Hands up to two hundred parts over: makes the campaigns of their sub-accounts and starts a run for each. Then it goes on
 * as new, so that its history does not hold what becomes of them, and awaits by their rows that all are over. The runs
 * that it has started live on whatever becomes of it; one that is there already counts as started.
 */
export async function centralSlice(input: SliceInput): Promise<{ parts: number }> {
  const { accountId, campaignId, slice } = input;
  const ref = { accountId, campaignId, slice };
  let looks = 0;
  setHandler(look, () => {
    looks += 1;
  });
  let { phase } = input;
  /**
   * Goes over to the other phase, as new; Temporal's test server lets no time be skipped once a run that has started
   * others has continued as new, so where time is skipped it stays in one run.
   */
  const goOver = async (next: SliceInput['phase']): Promise<void> => {
    if (input.time === 'real') await continueAsNew<typeof centralSlice>({ ...input, phase: next });
    phase = next;
  };
  let shown = '';
  for (;;) {
    if (phase !== 'await') {
      const parts = await (phase === 'hand_over' ? makeParts(ref) : readMissing(ref));
      await startAll(input, parts);
      // Only now: whoever is interrupted before starts them again, and one that runs counts as started.
      await noteStarted({ ...ref, numbers: parts.map(({ number }) => number) });
      if (phase === 'hand_over') await tellCentral(input);
      await goOver('await');
    }
    const seen = looks;
    const standing = await readSlice(ref);
    shown = publish(shown, standing);
    if (standing.open === 0) return { parts: standing.parts.length };
    if (standing.lacksParts || standing.lacksRuns) {
      await goOver(standing.lacksParts ? 'hand_over' : 'start_missing');
      continue;
    }
    await condition(() => looks !== seen, DAY_MS, { summary: `Wait for ${standing.open} parts` });
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof centralSlice>({ ...input, phase });
  }
}

/** Starts the runs of these parts, so many at a time. */
async function startAll(input: SliceInput, parts: readonly MadePart[]): Promise<void> {
  const left = [...parts];
  const turn = async (): Promise<void> => {
    for (let part = left.shift(); part !== undefined; part = left.shift()) await startPart(input, part);
  };
  await Promise.all(Array.from({ length: STARTS_AT_ONCE }, turn));
}

async function startPart(input: SliceInput, { subAccountId, campaignId }: MadePart): Promise<void> {
  try {
    await startChild(campaign, {
      workflowId: campaignWorkflowId(campaignId),
      args: [{ accountId: subAccountId, campaignId, time: input.time }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      // Parents share the workers whatever their sizes.
      priority: { fairnessKey: input.accountId },
      typedSearchAttributes: [
        { key: CARILLON_ACCOUNT, value: subAccountId },
        { key: CARILLON_STATUS, value: 'processing' },
        { key: CARILLON_CENTRAL, value: input.campaignId },
      ],
      staticSummary: `Campaign ${campaignId}`,
      staticDetails: `Part of the central campaign \`${input.campaignId}\`, sent by account \`${subAccountId}\`.`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** One that is gone needs no word: its next run hands every slice out anew. */
async function tellCentral({ campaignId, slice }: SliceInput): Promise<void> {
  const central = getExternalWorkflowHandle(centralWorkflowId(campaignId));
  await central.signal(handed, slice).catch(() => undefined);
}

/** Shows a line for each part, with a link to its run. Resolves with what is shown, so that it is told once. */
function publish(before: string, { parts }: SliceStanding): string {
  const lines = parts.map(({ subAccountId, campaignId, state, reason }) => {
    const run = campaignId === null ? '' : linkTo(campaignId, campaignWorkflowId(campaignId));
    return `| ${subAccountId} | ${state}${reason === null ? '' : ` (${reason})`} | ${run} |`;
  });
  const details = ['| Account | State | Run |', '| --- | --- | --- |', ...lines].join('\n');
  if (details !== before) setCurrentDetails(details);
  return details;
}
