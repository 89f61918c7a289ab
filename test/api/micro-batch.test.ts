import { expect, test } from 'vitest';
import { createMicroBatch } from '../../api/micro-batch.ts';

/** A way to apply batches that keeps them, and waits with each until it is let go. */
function gated() {
  const batches: (readonly number[])[] = [];
  const gates: (() => void)[] = [];
  const apply = async (items: readonly number[]): Promise<number[]> => {
    batches.push(items);
    await new Promise<void>((resolve) => gates.push(resolve));
    if (items.includes(0)) throw new Error('A batch with a zero fails.');
    return items.map((item) => item * 10);
  };
  return { batches, gates, apply };
}

async function begun(gates: readonly unknown[], count: number): Promise<void> {
  while (gates.length < count) await new Promise((resolve) => setImmediate(resolve));
}

test('what comes while four batches are under way makes the next one, each item with its own result', async () => {
  const { batches, gates, apply } = gated();
  const { add } = createMicroBatch(apply);
  const first: Promise<number>[] = [];
  for (const item of [1, 2, 3, 4]) {
    first.push(add(item));
    await begun(gates, item);
  }
  const rest = [add(5), add(6), add(7)];
  // A later one may be done first.
  gates[1]?.();
  expect(await first[1]).toBe(20);
  await begun(gates, 5);
  for (const open of gates) open();
  expect(await Promise.all([...first, ...rest])).toEqual([10, 20, 30, 40, 50, 60, 70]);
  expect(batches).toEqual([[1], [2], [3], [4], [5, 6, 7]]);
});

test('a batch holds no more than sixty-four, and what is left makes others', async () => {
  const { batches, gates, apply } = gated();
  const { add } = createMicroBatch(apply);
  const items = Array.from({ length: 130 }, (_, index) => index + 1);
  const results = items.map((item) => add(item));
  await begun(gates, 3);
  for (const open of gates) open();
  expect(await Promise.all(results)).toEqual(items.map((item) => item * 10));
  expect(batches.map((batch) => batch.length)).toEqual([64, 64, 2]);
});

test('a batch that fails takes nobody of another batch with it', async () => {
  const { gates, apply } = gated();
  const { add } = createMicroBatch(apply);
  const failing = [add(0), add(1)];
  await begun(gates, 1);
  const later = add(2);
  gates[0]?.();
  const results = await Promise.allSettled(failing);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await begun(gates, 2);
  gates[1]?.();
  expect(await later).toBe(20);
});

test('an answer that lacks somebody is a failure for all and never an answer for the wrong one', async () => {
  const { add } = createMicroBatch(async (items: readonly number[]) => items.slice(1));
  const results = await Promise.allSettled([add(1), add(2)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
