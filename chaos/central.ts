import { createRandom } from '../carrier/sandbox/random.ts';
import { createApiClient } from '../dev/demo/api-client.ts';
import type { System } from '../dev/launcher.ts';
import { numbersOf } from '../dev/sending-account.ts';
import { REQUESTS_AT_ONCE_MAX } from '../domain/dispatch/slots.ts';
import { eachAtOnce } from '../engine/each-at-once.ts';
import { type ChaosCampaign, setUpAccount } from './account.ts';
import { orderFaults } from './carrier-faults.ts';
import { readLedger } from './carrier-ledger.ts';
import { type Family, launchToFamily, makeFamily } from './central/family.ts';
import { type CentralHarm, harmFanOut } from './central/harm-fan-out.ts';
import { checkCentral } from './central/invariants.ts';
import { createOwnOrders, type OwnOrders } from './central/own-orders.ts';
import { CONTACTS_MAX } from './central/plan-contacts.ts';
import { type CentralRecord, pairKey } from './central/record.ts';
import { readRuns } from './central/runs.ts';
import { type PartRow, readParts } from './central/standing.ts';
import { paddingFor } from './central/words.ts';
import { withChaosSystem } from './chaos-system.ts';
import { checkUntilQuiet } from './check-until-quiet.ts';
import { type Fingerprint, fingerprintOf } from './fingerprint.ts';
import type { HarmKind } from './harm-draw.ts';
import type { Invariant } from './invariant.ts';
import type { MoreWorkers } from './more-workers.ts';
import { createVictims } from './victims.ts';
import { waitThroughChaos } from './wait-through-chaos.ts';

/** How large a family sends, and how often it is harmed. */
export interface CentralOptions {
  /** At least two: one of them is of Temporal with its data. */
  readonly kills: number;
  /** Of all accounts together. */
  readonly recipients: number;
  /** Sub-accounts. */
  readonly accounts: number;
  readonly seed: number;
  /** Kinds of harm that come before all others, where the run is too short for each to be drawn. */
  readonly first?: readonly HarmKind[];
  readonly say: (line: string) => void;
}

const WORKERS = 3;
/** Of each sub-account: the slowest there is, and its texts are as long as it takes. */
const SEGMENTS_PER_SECOND = 1;
/** A kill with what comes of it, on average. */
const SECONDS_OF_KILL = 8;
/** Once the faults have stopped. */
const HEAL_MS_MAX = 30 * 60_000;
const READ_AT_ONCE = 8;

/**
 * Kills and freezes processes of a whole system while a parent sends by many sub-accounts, and once deletes Temporal's data
 * in mid fan-out; then compares the database with the carrier's ledger, account by account. Resolves with each invariant.
 */
export function chaosOfCentral(options: CentralOptions): Promise<Invariant[]> {
  if (options.recipients + options.recipients / options.accounts > CONTACTS_MAX - 1) {
    throw new Error(
      `There are at most ${CONTACTS_MAX} contacts, those of an account beside the preset's included.`,
    );
  }
  return withChaosSystem({ workers: WORKERS, temporalInMemory: false }, (system, more) =>
    runChaos(system, more, options),
  );
}

async function runChaos(system: System, more: MoreWorkers, options: CentralOptions): Promise<Invariant[]> {
  const { say, accounts, recipients, kills, seed } = options;
  const { urls, firstKeys } = system;
  if (firstKeys === null || urls.sandbox === undefined) throw new Error('The system is not a fresh one.');
  const { operatorKey } = firstKeys;
  const place = { apiUrl: urls.api, sandboxUrl: urls.sandbox, operatorKey };
  const databaseUrl = urls.database;
  const random = createRandom(seed);

  const stranger = await setUpAccount(place, SEGMENTS_PER_SECOND, '24366');
  await stranger.list('Theirs', numbersOf('909', 50));
  const family = await makeFamily(place, {
    accounts,
    contacts: recipients,
    segmentsPerSecond: SEGMENTS_PER_SECOND,
  });
  const suppressed = family.subAccounts.flatMap((account) =>
    account.suppressed.map((number) => pairKey(account.address, number)),
  );
  const bystanders = [stranger.accountId, family.absent.accountId];
  const before = await fingerprintsOf(databaseUrl, bystanders);
  const ledger = () => readLedger(`${urls.sandbox}/sandbox/ledger`);

  const faults = await orderFaults(urls.sandbox);
  const padding = paddingFor(Math.ceil((kills * SECONDS_OF_KILL * accounts) / recipients));
  const centralId = await launchToFamily(family, padding);
  say(`${recipients} contacts of ${accounts} sub-accounts, ${WORKERS} workers, seed ${seed}.`);

  const victims = createVictims(system, [system.part('worker'), ...more.parts], random, options);
  const orders = createOwnOrders({ apiUrl: urls.api, databaseUrl, family, centralId, random });
  const harmed: CentralHarm = await harmFanOut(
    { family, centralId, databaseUrl, ledger, faults, victims, orders, random },
    { kills, say },
  );
  await victims.settle();
  await faults.stop();
  await orders.settle();
  say('The faults have stopped.');
  const parts = await waitForEnd(databaseUrl, family, centralId, orders);

  const record: CentralRecord = {
    ...harmed,
    centralId,
    family,
    padding,
    reports: await readReports(place, parts),
    harm: victims.harm,
    kinds: victims.kinds,
    kills,
    faults: { ...(await faults.seen()), throttledInStorms: harmed.throttled },
    slotsOfWorker: REQUESTS_AT_ONCE_MAX,
    suppressed,
    stops: orders.stops(),
    aborted: orders.aborted(),
    runs: await readRuns(urls.temporalAddress),
    bystander: { before, after: await fingerprintsOf(databaseUrl, bystanders) },
  };
  return checkUntilQuiet(async () => checkCentral(databaseUrl, await ledger(), record, parts));
}

async function fingerprintsOf(databaseUrl: string, accountIds: readonly string[]): Promise<Fingerprint> {
  const all = new Map<string, string>();
  for (const [place, accountId] of accountIds.entries()) {
    for (const [table, digest] of await fingerprintOf(databaseUrl, accountId)) {
      all.set(`${table} of account ${place + 1}`, digest);
    }
  }
  return all;
}

/** Every part is over; whom a cause outside has suspended his parent tries again, and an own pause its account ends. */
async function waitForEnd(
  databaseUrl: string,
  { parent }: Family,
  centralId: string,
  orders: OwnOrders,
): Promise<readonly PartRow[]> {
  const path = `/v1/campaigns/${centralId}`;
  return waitThroughChaos(
    async () => {
      const parts = await readParts(databaseUrl, centralId);
      await eachAtOnce(parts, READ_AT_ONCE, async (part) => {
        if (part.state === 'paused') await orders.resume(part);
        // It is refused for as long as its cause is there.
        if (part.state === 'suspended') {
          await parent.api.post(`${path}/accounts/${part.accountId}/retry`, {}).catch(() => undefined);
        }
      });
      const { status } = await parent.api.get<{ status: string }>(path);
      return { status, parts };
    },
    ({ status }) => status === 'finished',
    HEAL_MS_MAX,
  ).then(({ parts }) => parts);
}

/** What each account reads of its own part. */
async function readReports(
  { apiUrl, operatorKey }: { readonly apiUrl: string; readonly operatorKey: string },
  parts: readonly PartRow[],
): Promise<ChaosCampaign['report'][]> {
  const reports: ChaosCampaign['report'][] = [];
  await eachAtOnce(parts, READ_AT_ONCE, async ({ accountId, campaignId }) => {
    const acting = createApiClient(apiUrl, operatorKey, { 'carillon-account': accountId });
    reports.push((await acting.get<ChaosCampaign>(`/v1/campaigns/${campaignId}`)).report);
  });
  return reports;
}
