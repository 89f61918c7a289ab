import { withOwner } from '../../dev/with-owner.ts';
import type { LedgerLine } from '../carrier-ledger.ts';
import { fewUnknown } from '../few-unknown.ts';
import { untouched } from '../fingerprint.ts';
import type { Invariant } from '../invariant.ts';
import { type Person, readPeople } from '../people.ts';
import {
  asTheLedgerSays,
  everybodyCounted,
  everybodySettled,
  noneTwice,
  nobodyBarred,
  type PeopleAndTexts,
} from '../people-invariants.ts';
import { textsBy } from '../texts.ts';
import { whatHappened } from '../what-happened.ts';
import { everybodyOnce, ownTextsOnly } from './contact-invariants.ts';
import { everyPartEnded, noneStartedTwice, noRowAstray, wasInMidFanOut } from './part-invariants.ts';
import { type CentralRecord, pairKey } from './record.ts';
import type { PartRow } from './standing.ts';
import { nothingBehindStops, spentAsUsed } from './stop-invariants.ts';

/** Compares the database with the carrier's ledger, account by account. */
export function checkCentral(
  databaseUrl: string,
  ledger: readonly LedgerLine[],
  record: CentralRecord,
  parts: readonly PartRow[],
): Promise<Invariant[]> {
  const addresses = new Map(record.family.subAccounts.map(({ accountId, address }) => [accountId, address]));
  const campaignIds = parts.map(({ campaignId }) => campaignId);
  return withOwner(databaseUrl, async (db) => {
    const compared: PeopleAndTexts = {
      people: await readPeople(db, campaignIds),
      texts: textsBy(ledger, ({ src, dst }) => pairKey(src, dst)),
      keyOf: ({ accountId, number }) => pairKey(addresses.get(accountId) ?? 'nobody', number),
    };
    const goesOn = ({ accountId }: Person): boolean => !record.aborted.has(accountId);
    return [
      noneTwice(compared),
      everybodyCounted(compared, record.reports),
      asTheLedgerSays(compared),
      nobodyBarred(compared, { ...record, frozen: record.harm.frozen }),
      await spentAsUsed(db, record),
      await fewUnknown(db, { ...record, campaignIds }),
      everybodySettled({ ...compared, people: compared.people.filter(goesOn) }),
      untouched(record.bystander),
      wasInMidFanOut(record),
      await everyPartEnded(db, record),
      await noneStartedTwice(db, record, parts),
      everybodyOnce(compared, record),
      ownTextsOnly(ledger, record),
      await noRowAstray(db, record),
      await nothingBehindStops(db, ledger, record),
      allHasHappened(record),
    ];
  });
}

function allHasHappened({ harm, kinds, kills, faults, stops }: CentralRecord): Invariant {
  const { missing, counts } = whatHappened(harm, kinds, kills);
  return {
    name: 'Everything has happened that was to be withstood',
    holds: missing.length === 0 && faults.throttledInStorms > 0 && stops.length > 0,
    figures: `${counts}; ${faults.throttledInStorms} answers of 429 in storms; ${stops.length} orders of accounts and their parent`,
  };
}
