import { Client } from 'pg';
import { expect, it } from 'vitest';
import { everybodyOnce, ownTextsOnly } from '../../chaos/central/contact-invariants.ts';
import { launchToFamily, makeFamily } from '../../chaos/central/family.ts';
import { everyPartEnded, noneStartedTwice, noRowAstray } from '../../chaos/central/part-invariants.ts';
import { pairKey } from '../../chaos/central/record.ts';
import { readRuns } from '../../chaos/central/runs.ts';
import { readParts, readStanding } from '../../chaos/central/standing.ts';
import { paddingFor } from '../../chaos/central/words.ts';
import { readPeople } from '../../chaos/people.ts';
import { asTheLedgerSays, everybodySettled, noneTwice } from '../../chaos/people-invariants.ts';
import { textsBy } from '../../chaos/texts.ts';
import { until } from '../../dev/until.ts';
import { withOwner } from '../../dev/with-owner.ts';
import { SLICE_PARTS } from '../../domain/central/part-states.ts';
import { startSystemWorld, type SystemWorld } from './system-world.ts';

/** Of the second slice. */
const LATER = 3;
const ACCOUNTS = SLICE_PARTS + LATER;
const CONTACTS = 2 * ACCOUNTS;
/** The second text of an account goes out seconds after its first. */
const SEGMENTS_PER_SECOND = 1;
const PADDING = paddingFor(5);
/** For hundreds of runs, twice over, on any machine. */
const PATIENCE_MS = 600_000;
const TIMEOUT_MS = 1_200_000;

it(
  "goes on in every account, twice in none, after Temporal's data was deleted in mid fan-out",
  async () => {
    const world = await startSystemWorld({ temporal: 'file' });
    try {
      const { urls, firstKeys } = world.system.current();
      const place = { apiUrl: urls.api, operatorKey: firstKeys?.operatorKey ?? '' };
      const family = await makeFamily(place, {
        accounts: ACCOUNTS,
        contacts: CONTACTS,
        segmentsPerSecond: SEGMENTS_PER_SECOND,
      });
      // Whoever holds an account keeps the parts of its slice from being made.
      const last =
        family.subAccounts
          .map(({ accountId }) => accountId)
          .toSorted()
          .at(-1) ?? '';
      const release = await holdAccount(urls.database, last);
      const centralId = await launchToFamily(family, PADDING);
      const before = await until(
        () => readStanding(urls.database, centralId),
        ({ handed }) => handed === SLICE_PARTS,
        PATIENCE_MS,
      );
      expect(before, 'some are handed over, and some are not').toMatchObject({ lacking: LATER });

      const at = await loseEngine(world);
      const open = (await readParts(urls.database, centralId))
        .filter(({ state }) => state === 'handed_over')
        .map(({ campaignId }) => campaignId);
      expect(open.length, 'some are in the middle of their texts').toBeGreaterThan(0);
      // The worker has lived on, and makes the parts for a run that is gone.
      await release();
      await world.system.current().part('temporal').start();

      await until(
        () => readStanding(urls.database, centralId),
        ({ over }) => over === ACCOUNTS,
        PATIENCE_MS,
      );
      await until(
        () => family.parent.api.get<{ status: string }>(`/v1/campaigns/${centralId}`),
        ({ status }) => status === 'finished',
      );
      const parts = await readParts(urls.database, centralId);
      const ledger = await world.ledger();
      const suppressed = family.subAccounts.flatMap((account) =>
        account.suppressed.map((number) => pairKey(account.address, number)),
      );
      const record = {
        centralId,
        family,
        padding: PADDING,
        suppressed,
        stoppedAt: new Map<string, number>(),
        aborted: new Set<string>(),
        deletion: { at, open },
        runs: await readRuns(urls.temporalAddress),
      };
      const addresses = new Map(family.subAccounts.map(({ accountId, address }) => [accountId, address]));
      const invariants = await withOwner(urls.database, async (db) => {
        const compared = {
          people: await readPeople(
            db,
            parts.map(({ campaignId }) => campaignId),
          ),
          texts: textsBy(ledger, ({ src, dst }) => pairKey(src, dst)),
          keyOf: ({ accountId, number }: { readonly accountId: string; readonly number: string }) =>
            pairKey(addresses.get(accountId) ?? 'nobody', number),
        };
        return [
          noneTwice(compared),
          asTheLedgerSays(compared),
          everybodySettled(compared),
          everybodyOnce(compared, record),
          ownTextsOnly(ledger, record),
          await everyPartEnded(db, record),
          await noneStartedTwice(db, record, parts),
          await noRowAstray(db, record),
        ];
      });
      for (const { name, holds, figures } of invariants) expect(holds, `${name}: ${figures}`).toBe(true);
    } finally {
      await world.stop();
    }
  },
  TIMEOUT_MS,
);

/** Locks an account's row against whoever makes parts, and nobody else. Resolves with what lets go of it. */
async function holdAccount(databaseUrl: string, accountId: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('begin');
  await client.query('select from accounts where id = $1 for no key update', [accountId]);
  return () => client.end();
}

/** Kills Temporal and deletes its data. Resolves with when both were gone. */
async function loseEngine(world: SystemWorld): Promise<number> {
  await world.system.current().part('temporal').kill();
  await world.system.deleteTemporalData();
  return Date.now();
}
