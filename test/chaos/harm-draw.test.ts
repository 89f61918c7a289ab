import { expect, test } from 'vitest';
import { createRandom } from '../../carrier/sandbox/random.ts';
import { createDraw } from '../../chaos/harm-draw.ts';

test.each(['everything', 'database'] as const)(
  'each kind of harm to %s comes once before any comes again, whatever the seed',
  (target) => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const draw = createDraw(target, [], createRandom(seed));
      const drawn = draw.kinds.map(() => draw.next());
      expect(drawn.toSorted()).toEqual(draw.kinds.toSorted());
      expect(draw.kinds).toContain(draw.next());
    }
  },
);

test('what is to come first comes in its order, and not again before all others have come', () => {
  const draw = createDraw('everything', ['standstill', 'PostgreSQL'], createRandom(1));
  const drawn = draw.kinds.map(() => draw.next());
  expect(drawn.slice(0, 2)).toEqual(['standstill', 'PostgreSQL']);
  expect(new Set(drawn).size).toBe(draw.kinds.length);
});
