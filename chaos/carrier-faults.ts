import { setTimeout as delay } from 'node:timers/promises';
import { type ApiClient, createApiClient } from '../dev/demo/api-client.ts';

/** What the sandbox has answered with so far. */
export interface FaultsSeen {
  /** Requests after which nobody can know whether they were accepted. */
  readonly ambiguous: number;
  readonly throttled: number;
}

/** A sandbox that is told to misbehave. */
export interface CarrierFaults {
  /** For some seconds nothing is accepted and everything is answered with 429. Resolves with how many answers that were. */
  readonly storm: () => Promise<number>;
  readonly stop: () => Promise<void>;
  readonly seen: () => Promise<FaultsSeen>;
  readonly sandbox: ApiClient;
}

const AMBIGUOUS = [
  'http_500',
  'http_500_html_accepted',
  'http_503',
  'hang_accepted',
  'reset_accepted',
  'reset_before',
  'empty_accepted',
  'truncated_accepted',
];
const REQUEST_FAULTS = ['http_429', ...AMBIGUOUS];
const TEXT_FATES = [
  'failed_300',
  'callbacks_lost',
  'callbacks_doubled',
  'callbacks_reordered',
  'callbacks_forged_first',
];
const REQUEST_FAULT_RATE = 0.002;
const TEXT_FATE_RATE = 0.01;
const STORM_MS = 5_000;
/** The API is killed now and then, and the carrier's own delays are minutes. */
const RETRY_DELAYS_MS = [1_000, 2_000, 5_000, 10_000, 20_000, 60_000];

/** Lets the sandbox misbehave now and then, from now on. */
export async function orderFaults(sandboxUrl: string): Promise<CarrierFaults> {
  const sandbox = createApiClient(sandboxUrl, '');
  const order = (fault: string, rate: number) => sandbox.post('/sandbox/faults', { fault, rate });
  const forget = (): Promise<void> =>
    // It answers with nothing, which is no JSON.
    sandbox.remove('/sandbox/faults').then(
      () => undefined,
      () => undefined,
    );
  const orderAll = async (): Promise<void> => {
    for (const fault of REQUEST_FAULTS) await order(fault, REQUEST_FAULT_RATE);
    for (const fate of TEXT_FATES) await order(fate, TEXT_FATE_RATE);
  };
  const seen = async (): Promise<FaultsSeen> => {
    const { faults } = await sandbox.get<{ faults: Record<string, number> }>('/sandbox/stats');
    return {
      ambiguous: AMBIGUOUS.reduce((sum, fault) => sum + (faults[fault] ?? 0), 0),
      throttled: faults['http_429'] ?? 0,
    };
  };
  await orderAll();
  const settings = Buffer.from(JSON.stringify({ retryDelaysMs: RETRY_DELAYS_MS }));
  await sandbox.send('PUT', '/sandbox/settings', settings, 'application/json');
  return {
    sandbox,
    seen,
    stop: forget,
    storm: async () => {
      const before = await seen();
      await forget();
      await order('http_429', 1);
      await delay(STORM_MS);
      const after = await seen();
      await forget();
      await orderAll();
      return after.throttled - before.throttled;
    },
  };
}
