import type { Client } from 'pg';
import { withOwner } from '../dev/with-owner.ts';
import type { ChaosCampaign } from './account.ts';
import type { BudgetRecord } from './budget.ts';
import type { FaultsSeen } from './carrier-faults.ts';
import type { LedgerLine } from './carrier-ledger.ts';
import { fewUnknown, type UnknownRecord } from './few-unknown.ts';
import { type Bystander, untouched } from './fingerprint.ts';
import type { HarmKind } from './harm-draw.ts';
import type { Invariant } from './invariant.ts';
import { readPeople } from './people.ts';
import {
  asTheLedgerSays,
  everybodyCounted,
  everybodySettled,
  noneTwice,
  nobodyBarred,
  type PeopleAndTexts,
} from './people-invariants.ts';
import { textsBy } from './texts.ts';
import { whatHappened } from './what-happened.ts';

/** What was done and seen while the campaigns ran. */
export interface ChaosRecord extends UnknownRecord {
  readonly accountId: string;
  /** What each campaign's report says in the end. */
  readonly reports: readonly ChaosCampaign['report'][];
  /** What harm was drawn from, and how often. */
  readonly kinds: readonly HarmKind[];
  readonly kills: number;
  /** Null where nobody told the carrier to misbehave. */
  readonly faults: (FaultsSeen & { readonly throttledInStorms: number }) | null;
  readonly budget: BudgetRecord;
  /** Numbers suppressed before the launch. */
  readonly suppressed: readonly string[];
  /** Instants (epoch milliseconds) at which a STOP was answered. */
  readonly stoppedAt: ReadonlyMap<string, number>;
  readonly spendLimitMicroUsd: number;
  /** Rows of an account that nobody touched, before and after. */
  readonly bystander: Bystander;
}

/** Compares the database with the carrier's ledger. Every campaign has numbers of its own and one message. */
export function checkInvariants(
  databaseUrl: string,
  ledger: readonly LedgerLine[],
  record: ChaosRecord,
): Promise<Invariant[]> {
  return withOwner(databaseUrl, async (db) => {
    const compared: PeopleAndTexts = {
      people: await readPeople(db, record.campaignIds),
      texts: textsBy(ledger, (line) => line.dst),
      keyOf: (person) => person.number,
    };
    return [
      noneTwice(compared),
      everybodyCounted(compared, record.reports),
      asTheLedgerSays(compared),
      nobodyBarred(compared, { ...record, frozen: record.harm.frozen }),
      await spendWithin(db, record),
      await fewUnknown(db, record),
      everybodySettled(compared),
      untouched(record.bystander),
      allHasHappened(record),
    ];
  });
}

async function spendWithin(db: Client, record: ChaosRecord): Promise<Invariant> {
  const { accountId, spendLimitMicroUsd, budget } = record;
  const { rows } = await db.query<{ spent: number; used: number }>(
    `select
       (select coalesce(sum(spent_micro_usd), 0)::float8 from spend_months where account_id = $1) as spent,
       (select coalesce(sum(a.cost_micro_usd), 0)::float8 from attempts a
        left join outcomes o on o.month = a.month and o.message_key = a.message_key and o.recipient = a.recipient
          and o.attempt = a.attempt and o.stage = 'final' and o.status = 'failed' and coalesce(o.billed_micro_usd, 0) = 0
        where a.account_id = $1 and a.result in ('accepted', 'unknown') and o.stage is null) as used`,
    [accountId],
  );
  const { spent = 0, used = 0 } = rows[0] ?? {};
  return {
    name: 'I5 spend is what the texts cost that were taken or may have been, and stays within limit and budget',
    holds:
      spent <= spendLimitMicroUsd &&
      spent > 0 &&
      spent === used &&
      budget.spentMicroUsd <= budget.budgetMicroUsd &&
      budget.takenMicroUsd <= budget.spentMicroUsd,
    figures:
      `${spent} micro-dollars of ${spendLimitMicroUsd}, for texts of ${used}; of a budget of ` +
      `${budget.budgetMicroUsd} ${budget.spentMicroUsd} were spent, ${budget.takenMicroUsd} by the carrier's ledger`,
  };
}

function allHasHappened({ harm, kinds, kills, faults, budget }: ChaosRecord): Invariant {
  const { missing, counts } = whatHappened(harm, kinds, kills);
  const storms =
    faults === null ? 'no storm ordered' : `${faults.throttledInStorms} answers of 429 in storms`;
  return {
    name: 'Everything has happened that was to be withstood',
    holds: missing.length === 0 && budget.hasBound && (faults === null || faults.throttledInStorms > 0),
    figures: `${counts}; ${storms}; the budget ${budget.hasBound ? 'was used up' : 'was never used up'}`,
  };
}
