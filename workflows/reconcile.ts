import {
  condition,
  continueAsNew,
  defineSignal,
  getExternalWorkflowHandle,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ReconcileActivities } from '../activities/reconcile-activities.ts';
import { poke } from './inbox.ts';
import { campaignWorkflowId, POKE_SIGNAL, type ReconcileInput } from './contract.ts';

const DAY_MS = 24 * 60 * 60_000;
/** An ask that failed gives way to the next one only after this long. */
const PAUSE_MS_MIN = 1_000;

const { reconcile: askCarrier } = proxyActivities<ReconcileActivities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** There are unknown attempts whose turn it is. */
export const look = defineSignal(POKE_SIGNAL);

/** Resolves unknown attempts of one carrier account through its list, until none is left. */
export async function reconcile(input: ReconcileInput): Promise<void> {
  let looks = 0;
  setHandler(look, () => {
    looks += 1;
  });
  for (;;) {
    const seen = looks;
    const { nextAt, wake, ...counts } = await askCarrier.executeWithOptions(
      { summary: `Ask the list of ${input.carrierAccountId}` },
      [{ ...input, at: Date.now() }],
    );
    setCurrentDetails(
      `Last asked: ${counts.accepted} accepted, ${counts.absent} not in the list, ${counts.undecided} undecided, ${counts.final} final.`,
    );
    // Whoever is not reached looks by himself before he finishes.
    for (const id of wake ?? []) {
      await getExternalWorkflowHandle(campaignWorkflowId(id))
        .signal(poke)
        .catch(() => undefined);
    }
    if (nextAt === null && looks === seen) return;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof reconcile>(input);
    const delayMs = Math.min(DAY_MS, Math.max(PAUSE_MS_MIN, (nextAt ?? 0) - Date.now()));
    await condition(() => looks !== seen, delayMs, {
      summary: nextAt === null ? 'Look again' : `Next turn at ${new Date(nextAt).toISOString()}`,
    });
  }
}
