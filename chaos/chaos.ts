import { parseArgs } from 'node:util';
import { chaosOfHolds } from './holds.ts';
import { chaosOfKills } from './kills.ts';

const { values } = parseArgs({
  options: {
    holds: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '20' },
    kills: { type: 'string' },
    outages: { type: 'string' },
    recipients: { type: 'string', default: '20000' },
    ledger: { type: 'string' },
    seed: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const kills = Number(values.kills ?? values.outages ?? 1);
const target = values.outages === undefined ? 'everything' : 'database';
const recipients = Number(values.recipients);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const isRight =
  [values.holds, values.kills !== undefined, values.outages !== undefined].filter(Boolean).length === 1 &&
  [rounds, kills, recipients].every((count) => Number.isSafeInteger(count) && count > 0) &&
  Number.isSafeInteger(seed) &&
  (values.ledger === undefined || process.env['PLIVO_API_URL'] !== undefined);
if (!isRight) {
  console.error(
    'Usage: npm run chaos -- --holds [--rounds N] [--seed N], or\n' +
      '       npm run chaos -- --kills N [--recipients N] [--seed N] [--ledger URL], or\n' +
      '       npm run chaos -- --outages N [--recipients N] [--seed N] [--ledger URL]\n' +
      'With --ledger the carrier is the one that PLIVO_API_URL names, and URL is its ledger.',
  );
  process.exit(1);
}
const say = (line: string): void => console.log(line);
try {
  if (values.holds) await chaosOfHolds({ rounds, seed, say });
  else {
    const ledgerUrl = values.ledger ?? null;
    const invariants = await chaosOfKills({ kills, recipients, seed, target, say, ledgerUrl });
    for (const { name, holds, figures } of invariants)
      say(`${holds ? 'holds ' : 'BROKEN'} ${name}: ${figures}.`);
    if (invariants.some(({ holds }) => !holds)) throw new Error('An invariant does not hold.');
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  console.error(`Repeat it with --seed ${seed}.`);
  process.exitCode = 1;
}
