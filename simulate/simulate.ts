import { parseArgs } from 'node:util';
import { hunt, MUTANTS } from './mutants/hunt.ts';
import { runSeed } from './run-seed.ts';
import { shrink } from './shrink.ts';

// Runs the dispatch protocol in a world of simulated processes, carrier, owners and contacts, seed by seed, and checks
// after each that nobody was texted twice and nobody forgotten. `--seed N` shows one with everything that happened.
const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    mutants: { type: 'boolean', default: false },
  },
});

if (values.mutants) await huntAll(wholeNumber('seeds', '3000'));
else if (values.seed === undefined) await simulateMany(wholeNumber('from'), wholeNumber('seeds', '1000'));
else await replay(wholeNumber('seed'));

function wholeNumber(option: 'seeds' | 'from' | 'seed', otherwise = ''): number {
  const text = values[option] ?? otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${option} takes a whole number, not "${text}".`);
  return Number(text);
}

async function simulateMany(first: number, count: number): Promise<void> {
  const begunAt = performance.now();
  let events = 0;
  let accepted = 0;
  const failed: number[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await runSeed(seed);
    events += result.events;
    accepted += result.accepted;
    if (result.violations.length === 0) continue;
    failed.push(seed);
    console.log(`Seed ${seed} fails: ${result.violations[0] ?? ''}`);
    if (failed.length === 1) await explain(seed);
  }
  const minutes = (performance.now() - begunAt) / 60_000;
  const speed = Math.round(count / minutes);
  console.log(`${count} seeds, ${events} events, ${accepted} texts accepted, ${speed} seeds a minute.`);
  if (failed.length === 0) {
    console.log('I1 to I7 held in each.');
    return;
  }
  console.log(`${failed.length} failed; replay one with --seed ${failed[0] ?? 0}.`);
  process.exitCode = 1;
}

/** Each broken protocol has to be found out by some seed. */
async function huntAll(seedsMax: number): Promise<void> {
  let survivors = 0;
  for (const mutant of MUTANTS) {
    const kill = await hunt(mutant, seedsMax);
    if (kill === null) survivors += 1;
    const fate = kill === null ? `LIVES through ${seedsMax} seeds` : `seed ${kill.seed}: ${kill.violation}`;
    console.log(`${mutant.name}\n    ${mutant.harm}\n    ${fate}`);
  }
  console.log(`${MUTANTS.length - survivors} of ${MUTANTS.length} mutants are found out.`);
  if (survivors > 0) process.exitCode = 1;
}

/** The fewest faults and moves with which it still fails. */
async function explain(seed: number): Promise<void> {
  const small = await shrink(seed);
  console.log(`Smallest plan that still fails (${small.plan.length} of ${small.planSize}):`);
  for (const name of small.plan) console.log(`  ${name}`);
  console.log('What happens then:');
  for (const line of small.trace) console.log(line);
  for (const violation of small.violations) console.log(violation);
}

async function replay(seed: number): Promise<void> {
  const result = await runSeed(seed, { keepsTrace: true });
  for (const line of result.trace) console.log(line);
  console.log(`Faults and moves: ${result.plan.join(', ') || 'none'}`);
  if (result.violations.length === 0) {
    console.log(`Seed ${seed}: I1 to I7 hold.`);
    return;
  }
  for (const violation of result.violations) console.log(violation);
  await explain(seed);
  process.exitCode = 1;
}
