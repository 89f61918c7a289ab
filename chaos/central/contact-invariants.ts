import type { LedgerLine } from '../carrier-ledger.ts';
import type { Invariant } from '../invariant.ts';
import type { PeopleAndTexts } from '../people-invariants.ts';
import { countTaken } from '../texts.ts';
import type { Family } from './family.ts';
import { type CentralRecord, pairKey } from './record.ts';
import { hashOfOwnText } from './words.ts';

/**
 * Each account has texted each of its contacts once, or it is known why not: he has opted out of that account, the carrier
 * has failed or refused his text, or nobody can know. Who is a contact of several gets one text from each.
 */
export function everybodyOnce(
  { people, texts, keyOf }: PeopleAndTexts,
  {
    family,
    aborted,
    suppressed,
    stoppedAt,
  }: Pick<CentralRecord, 'family' | 'aborted' | 'suppressed' | 'stoppedAt'>,
): Invariant {
  const known = new Map(people.map((person) => [keyOf(person), person]));
  const counts = { once: 0, barred: 0, failed: 0, unknown: 0, aborted: 0, twice: 0, forgotten: 0 };
  const accountsOf = new Map<string, number>();
  const barred = new Set([...suppressed, ...stoppedAt.keys()]);
  for (const { accountId, address, contacts } of family.subAccounts) {
    for (const { number } of contacts) {
      const key = pairKey(address, number);
      const person = known.get(key);
      const taken = countTaken(texts, key);
      if (taken > 0) accountsOf.set(number, (accountsOf.get(number) ?? 0) + 1);
      if (taken > 1) counts.twice += 1;
      else if (taken === 1) counts.once += 1;
      else if (aborted.has(accountId)) counts.aborted += 1;
      else if (person === undefined) counts.forgotten += 1;
      else if (person.isLeftOut && barred.has(key)) counts.barred += 1;
      else if (texts.has(key) || person.rejected > 0) counts.failed += 1;
      else if (person.unknown > 0) counts.unknown += 1;
      else counts.forgotten += 1;
    }
  }
  const pairs = family.subAccounts.reduce((sum, { contacts }) => sum + contacts.length, 0);
  const shared = [...accountsOf.values()].filter((accounts) => accounts > 1).length;
  return {
    name: 'Every account has texted each of its contacts once',
    holds: counts.twice === 0 && counts.forgotten === 0 && counts.once > 0 && shared > 0,
    figures:
      `${pairs} pairs of account and contact: ${counts.once} once, ${counts.twice} twice, ${counts.forgotten} forgotten; ` +
      `${counts.unknown} unknown and not with the carrier, ${counts.failed} failed at the carrier, ${counts.barred} opted out, ` +
      `${counts.aborted} of aborted parts; ${shared} numbers texted by several accounts`,
  };
}

/** By the ledger alone: who sends from a number sends its own words to its own contacts, under the names that it knows them by. */
export function ownTextsOnly(
  ledger: readonly LedgerLine[],
  { family, padding }: { readonly family: Pick<Family, 'subAccounts'>; readonly padding: string },
): Invariant {
  const wanted = new Map(
    family.subAccounts.flatMap((account) =>
      account.contacts.map((contact) => [
        pairKey(account.address, contact.number),
        hashOfOwnText(account, contact, padding),
      ]),
    ),
  );
  let strangers = 0;
  let others = 0;
  for (const { src, dst, sha256 } of ledger) {
    const hash = wanted.get(pairKey(src, dst));
    if (hash === undefined) strangers += 1;
    else if (hash !== sha256) others += 1;
  }
  const senders = new Set(ledger.map(({ src }) => src)).size;
  return {
    name: "Every text was made of its own account's rows",
    holds: strangers === 0 && others === 0 && senders > 1,
    figures:
      `${ledger.length} texts from the numbers of ${senders} accounts, each another text: ${others} with other words than ` +
      `the account has for that contact, ${strangers} to nobody whom the account has`,
  };
}
