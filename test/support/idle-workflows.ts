import type { WorkflowClient } from '../../engine/workflow-client.ts';

const nothing = (): Promise<void> => Promise.resolve();
const noAnswer = (): Promise<null> => Promise.resolve(null);

/** An engine that takes everything and does nothing, for tests of what does without one. */
export const IDLE_WORKFLOWS: WorkflowClient = {
  wakeCampaign: nothing,
  ensureCampaign: nothing,
  pokeCampaign: () => Promise.resolve(true),
  hasRun: () => Promise.resolve(true),
  runningCampaigns: () => Promise.resolve(() => false),
  applyAction: noAnswer,
  wakeCentral: nothing,
  ensureCentral: nothing,
  pokeCentral: () => Promise.resolve(true),
  applyCentralAction: noAnswer,
  lookAtSlice: () => Promise.resolve(true),
  isReachable: () => Promise.resolve(true),
  startImport: nothing,
  startTestSend: nothing,
  wakeReconcile: nothing,
};
