import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { TestSendActivities } from '../activities/test-send-activities.ts';
import { DISPATCH_QUEUE, type TestSendInput } from './contract.ts';

const { sendTest } = proxyActivities<TestSendActivities>({
  taskQueue: DISPATCH_QUEUE,
  startToCloseTimeout: '3 minutes',
  heartbeatTimeout: '15 seconds',
  // Another attempt never posts what one before it may have posted: it finds the row so and calls it unknown.
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
});

/** One message on trial, to one test number. */
export async function testSend(input: TestSendInput): Promise<void> {
  setCurrentDetails('The test is being sent.');
  const { state } = await sendTest.executeWithOptions({ summary: `Send the test ${input.testId}` }, [
    { ...input, at: Date.now() },
  ]);
  setCurrentDetails(`The test is **${state}**.`);
}
