import { expect, test } from 'vitest';
import { eachApart } from '../../engine/each-apart.ts';

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

test('what fails keeps no other from its turn, and each failure is told', async () => {
  const done: number[] = [];
  const failed: unknown[] = [];
  await eachApart(
    numbers(500),
    4,
    (item) => (item % 2 === 0 ? Promise.reject(new Error(`${item}`)) : Promise.resolve(done.push(item))),
    (error) => failed.push(error),
  );
  expect(done).toEqual(numbers(500).filter((item) => item % 2 === 1));
  expect(failed).toHaveLength(250);
});

test('where nothing goes well any more it is given up', async () => {
  let asked = 0;
  const all = eachApart(
    numbers(10_000),
    4,
    () => {
      asked += 1;
      return Promise.reject(new Error('The engine is away.'));
    },
    () => undefined,
  );
  await expect(all).rejects.toThrow('The engine is away.');
  expect(asked).toBeLessThan(200);
});
