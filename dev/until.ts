import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;
const PATIENCE_MS = 180_000;

/**
 * Asks again until the answer is what is waited for. It gives up only when nothing can come any more, far
 * beyond what any machine needs, and says what it saw last.
 */
export async function until<Value>(
  ask: () => Promise<Value>,
  isIt: (value: Value) => boolean,
  patienceMs = PATIENCE_MS,
): Promise<Value> {
  const startedAt = performance.now();
  for (;;) {
    const value = await ask();
    if (isIt(value)) return value;
    if (performance.now() - startedAt > patienceMs) {
      throw new Error(`Waited in vain; last seen: ${JSON.stringify(value)?.slice(0, 2_000)}`);
    }
    await delay(POLL_MS);
  }
}
