import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 50;
const PATIENCE_MS = 180_000;

/** Asks again until the answer is what is waited for. Throws an Error with what it saw last when that never comes. */
export async function waitUntil<Value>(
  ask: () => Promise<Value>,
  isIt: (value: Value) => boolean,
): Promise<Value> {
  const startedAt = performance.now();
  for (;;) {
    const value = await ask();
    if (isIt(value)) return value;
    if (performance.now() - startedAt > PATIENCE_MS) {
      throw new Error(`Waited in vain; last seen: ${JSON.stringify(value)?.slice(0, 2_000)}`);
    }
    await delay(POLL_MS);
  }
}
