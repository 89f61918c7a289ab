import { until } from '../dev/until.ts';

type Answer<Value> = { readonly kind: 'answer'; readonly value: Value } | Failure;
interface Failure {
  readonly kind: 'failure';
  readonly message: string;
}

/**
 * Asks again until the answer is what is waited for, while parts of the system are being killed: a question that fails is
 * asked again, too. Throws an Error with what it saw last when that never comes.
 */
export async function waitThroughChaos<Value>(
  ask: () => Promise<Value>,
  isIt: (value: Value) => boolean,
  patienceMs?: number,
): Promise<Value> {
  const seen = await until<Answer<Value>>(
    () => ask().then((value) => ({ kind: 'answer', value }), failureOf),
    (one) => one.kind === 'answer' && isIt(one.value),
    patienceMs,
  );
  if (seen.kind === 'failure') throw new Error(seen.message);
  return seen.value;
}

function failureOf(error: unknown): Failure {
  return { kind: 'failure', message: error instanceof Error ? error.message : String(error) };
}
