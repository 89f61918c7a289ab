import { parseArgs } from 'node:util';
import { chaosOfCentral } from './central.ts';
import { chaosOfHolds } from './holds.ts';
import { chaosOfKills } from './kills.ts';

const { values } = parseArgs({
  options: {
    holds: { type: 'boolean', default: false },
    central: { type: 'boolean', default: false },
    accounts: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '20' },
    kills: { type: 'string' },
    outages: { type: 'string' },
    recipients: { type: 'string' },
    ledger: { type: 'string' },
    seed: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const accounts = Number(values.accounts);
const kills = Number(values.kills ?? values.outages ?? (values.central ? 20 : 1));
const target = values.outages === undefined ? 'everything' : 'database';
const recipients = Number(values.recipients ?? (values.central ? 12_000 : 20_000));
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const kinds = [
  values.holds,
  values.central,
  values.kills !== undefined && !values.central,
  values.outages !== undefined,
];
const isRight =
  kinds.filter(Boolean).length === 1 &&
  [rounds, kills, recipients, accounts].every((count) => Number.isSafeInteger(count) && count > 0) &&
  (!values.central || (kills > 1 && recipients >= accounts && values.ledger === undefined)) &&
  Number.isSafeInteger(seed) &&
  (values.ledger === undefined || process.env['PLIVO_API_URL'] !== undefined);
if (!isRight) {
  console.error(
    'Usage: npm run chaos -- --holds [--rounds N] [--seed N], or\n' +
      '       npm run chaos -- --kills N [--recipients N] [--seed N] [--ledger URL], or\n' +
      '       npm run chaos -- --central [--kills N] [--recipients N] [--accounts N] [--seed N], or\n' +
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
    const invariants = values.central
      ? await chaosOfCentral({ kills, recipients, accounts, seed, say })
      : await chaosOfKills({ kills, recipients, seed, target, say, ledgerUrl });
    for (const { name, holds, figures } of invariants)
      say(`${holds ? 'holds ' : 'BROKEN'} ${name}: ${figures}.`);
    if (invariants.some(({ holds }) => !holds)) throw new Error('An invariant does not hold.');
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  console.error(`Repeat it with --seed ${seed}.`);
  process.exitCode = 1;
}
