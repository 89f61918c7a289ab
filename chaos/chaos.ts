import { parseArgs } from 'node:util';
import { chaosOfHolds } from './holds.ts';

const { values } = parseArgs({
  options: {
    holds: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seed: { type: 'string' },
  },
});
const rounds = Number(values.rounds ?? 20);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (!values.holds || !Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
  console.error('Usage: npm run chaos -- --holds [--rounds N] [--seed N].');
  process.exit(1);
}
try {
  await chaosOfHolds({ rounds, seed, say: (line) => console.log(line) });
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  console.error(`Repeat it with --seed ${seed}.`);
  process.exitCode = 1;
}
