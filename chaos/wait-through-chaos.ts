import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 200;
const PATIENCE_MS = 180_000;

/**
 * Asks again until the answer is what is waited for, while parts of the system are being killed: a question that fails is
 * asked again, too. Throws an Error with what it saw last when that never comes.
 */
export async function waitThroughChaos<Value>(
  ask: () => Promise<Value>,
  isIt: (value: Value) => boolean,
  patienceMs = PATIENCE_MS,
): Promise<Value> {
  const startedAt = performance.now();
  for (;;) {
    const seen = await ask().then(
      (value) => ({ value, error: null }),
      (error: unknown) => ({ value: null, error }),
    );
    if (seen.value !== null && isIt(seen.value)) return seen.value;
    if (performance.now() - startedAt > patienceMs) {
      const last = seen.error instanceof Error ? seen.error.message : JSON.stringify(seen.value);
      throw new Error(`Waited in vain; last seen: ${last?.slice(0, 2_000)}`);
    }
    await delay(POLL_MS);
  }
}
