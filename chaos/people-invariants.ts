import type { ChaosCampaign } from './account.ts';
import type { Invariant } from './invariant.ts';
import type { Person } from './people.ts';
import { sum } from './sum.ts';
import { countTaken, type Texts } from './texts.ts';

/** Whom the database knows, beside what the carrier has accepted. */
export interface PeopleAndTexts {
  readonly people: readonly Person[];
  readonly texts: Texts;
  /** What stands for a person among the texts. Everybody gets one message, so it stands for that, too. */
  readonly keyOf: (person: Person) => string;
}

/** Who was not to be texted, by what stands for him among the texts. */
export interface Barred {
  /** Before the launch. */
  readonly suppressed: readonly string[];
  /** Instants (epoch milliseconds) at which a STOP was answered. */
  readonly stoppedAt: ReadonlyMap<string, number>;
  /** Workers that stood still. */
  readonly frozen: number;
}

/** Accepted by the carrier's clock so long after a STOP was answered, it cannot have been on its way. */
const ON_ITS_WAY_MS = 1_000;

/** I1. */
export function noneTwice({ people, texts, keyOf }: PeopleAndTexts): Invariant {
  const keys = people.map(keyOf);
  const twice = keys.filter((key) => countTaken(texts, key) > 1).length;
  const total = sum(keys.map((key) => texts.get(key)?.length ?? 0));
  return {
    name: 'I1 at most one acceptance that did not fail for each message and number',
    holds: twice === 0,
    figures: `${total} accepted texts to ${people.length} recipients, ${twice} texted twice`,
  };
}

/** I2. */
export function everybodyCounted(
  { people, keyOf }: PeopleAndTexts,
  reports: readonly ChaosCampaign['report'][],
): Invariant {
  const audience = sum(reports.map((report) => report.recipients));
  const stated = sum(
    reports.map((report) => {
      const { accepted, unknown, expired, deferred, inFlight, waiting } = report;
      const reasons = sum([...report.rejected, ...report.skipped].map(({ count }) => count));
      return accepted + unknown + expired + deferred + inFlight + waiting + reasons;
    }),
  );
  const double = people.length - new Set(people.map(keyOf)).size;
  return {
    name: 'I2 the states add up to the audience',
    holds: stated === audience && people.length === audience && double === 0,
    figures: `${audience} recipients in the reports, ${stated} in a state, ${people.length} rows, ${double} counted twice`,
  };
}

/** I3. */
export function asTheLedgerSays({ people, texts, keyOf }: PeopleAndTexts): Invariant {
  let falsely = 0;
  let unseen = 0;
  for (const person of people) {
    const { accepted, unknown } = person;
    const taken = texts.get(keyOf(person))?.length ?? 0;
    if (accepted > taken) falsely += 1;
    if (taken > accepted + unknown) unseen += 1;
  }
  const known = new Set(people.map(keyOf));
  const strangers = [...texts.keys()].filter((key) => !known.has(key)).length;
  return {
    name: 'I3 accepted is within the ledger, and the ledger within accepted and unknown',
    holds: falsely === 0 && unseen === 0 && strangers === 0,
    figures: `${falsely} falsely accepted, ${unseen} accepted and not known of, ${strangers} who are no recipients`,
  };
}

/** I4. */
export function nobodyBarred(
  { texts }: PeopleAndTexts,
  { suppressed, stoppedAt, frozen }: Barred,
): Invariant {
  const barred = suppressed.filter((key) => texts.has(key)).length;
  const late = [...stoppedAt].filter(([key, at]) =>
    (texts.get(key) ?? []).some((line) => line.time > at + ON_ITS_WAY_MS),
  ).length;
  return {
    name: 'I4 nothing to a suppressed number, or after a STOP beyond what was in flight',
    // Who stands still between the last look and the post has it in flight for as long.
    holds: barred === 0 && late <= frozen,
    figures: `${suppressed.length} suppressed and ${barred} of them texted; ${stoppedAt.size} stopped and ${late} of them texted later`,
  };
}

/** I7. */
export function everybodySettled({ people }: PeopleAndTexts): Invariant {
  const waiting = people.filter((person) => !person.isSettled).length;
  return {
    name: 'I7 everybody reached a final state after the faults stopped',
    holds: waiting === 0,
    figures: `${people.length - waiting} of ${people.length}`,
  };
}
