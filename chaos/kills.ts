import { REQUESTS_AT_ONCE_MAX } from '../domain/dispatch/slots.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../carrier/sandbox/random.ts';
import type { ApiClient } from '../dev/demo/api-client.ts';
import type { System } from '../dev/launcher.ts';
import { numbersOf } from '../dev/sending-account.ts';
import { ADDRESS, type ChaosAccount, type ChaosCampaign, setUpAccount } from './account.ts';
import { liftBudget, nameOf, PERSONAL_TEXT, personalCostOf } from './budget.ts';
import { orderFaults } from './carrier-faults.ts';
import { readLedger } from './carrier-ledger.ts';
import { withChaosSystem } from './chaos-system.ts';
import { checkUntilQuiet } from './check-until-quiet.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { HarmKind, Target } from './harm-draw.ts';
import type { Invariant } from './invariant.ts';
import { type ChaosRecord, checkInvariants } from './invariants.ts';
import type { MoreWorkers } from './more-workers.ts';
import { createVictims } from './victims.ts';
import { waitThroughChaos } from './wait-through-chaos.ts';

/** What is harmed, and how much. */
export interface KillOptions {
  readonly kills: number;
  readonly recipients: number;
  readonly seed: number;
  /** Everything unless given. */
  readonly target?: Target;
  /** Kinds of harm that come before all others, where the run is too short for each to be drawn. */
  readonly first?: readonly HarmKind[];
  /** The ledger of another carrier, which `PLIVO_API_URL` names; null for the sandbox. */
  readonly ledgerUrl: string | null;
  readonly say: (line: string) => void;
}

const WORKERS = 3;
/** Segments a second. */
const PACE = { min: 50, max: 600 };
const AREAS = ['415', '212', '305', '312', '512', '602', '617', '702'];
/** The sandbox's magic numbers begin at 9000. */
const RECIPIENTS_OF_CAMPAIGN_MAX = 9_000;
const SUPPRESSED = 20;
const SPEND_LIMIT_MICRO_USD = 1_000_000_000;
const PAUSE_MS = { min: 1_000, max: 8_000 };
/** Once the faults have stopped. */
const HEAL_MS_MAX = 15 * 60_000;
/** A storm of 429 comes before every so many kills, the first before the first. */
const KILLS_OF_A_STORM = 10;
/** A budget pays for so much of the list that has one. */
const BUDGET_SHARE = 0.75;

/**
 * Kills and freezes processes of a whole system while campaigns send and the carrier misbehaves, then compares the
 * database with the carrier's ledger. Resolves with each invariant; none of them is left out. Throws an Error when most
 * of the harm came after everybody had been dealt with, since that would prove nothing.
 */
export function chaosOfKills(options: KillOptions): Promise<Invariant[]> {
  const system = { workers: WORKERS, temporalInMemory: false, env: carrierOf(options) };
  return withChaosSystem(system, (running, more) => runChaos(running, more, options));
}

function carrierOf({ ledgerUrl }: KillOptions): NodeJS.ProcessEnv {
  if (ledgerUrl === null) return {};
  const names = ['PLIVO_API_URL', 'PLIVO_AUTH_ID', 'PLIVO_AUTH_TOKEN'];
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

async function runChaos(system: System, more: MoreWorkers, options: KillOptions): Promise<Invariant[]> {
  const { say, kills, target = 'everything' } = options;
  const pace = paceFor(options);
  const random = createRandom(options.seed);
  const { urls, firstKeys } = system;
  if (firstKeys === null) throw new Error('The system is not a fresh one.');
  const place = { apiUrl: urls.api, sandboxUrl: urls.sandbox, operatorKey: firstKeys.operatorKey };
  const bystander = await setUpAccount(place, pace, '24366');
  await bystander.list('Theirs', numbersOf('909', 50));
  const account = await setUpAccount(place, pace);
  const lists = await makeLists(account, options.recipients);
  const suppressed = await suppressSome(account, lists, random);
  const before = await fingerprintOf(urls.database, bystander.accountId);
  const ledgerUrl = options.ledgerUrl ?? `${urls.sandbox}/sandbox/ledger`;

  const faults = urls.sandbox === undefined ? null : await orderFaults(urls.sandbox);
  if (faults === null) say('The carrier is another one, so that it is not told to misbehave.');
  const campaigns: ChaosCampaign[] = [];
  const budgetMicroUsd = budgetFor(lists[0]);
  for (const [index, list] of lists.entries()) {
    const text = index % 2 === 0 ? PERSONAL_TEXT : 'Our summer sale begins today.';
    const budget = index === 0 ? budgetMicroUsd : null;
    campaigns.push(await account.launch(`Chaos ${index + 1}`, list.id, text, budget));
  }
  // Whom the budget does not pay for waits in any case.
  const others = campaigns.slice(1);
  const recipients = options.recipients - (lists[0]?.numbers.length ?? 0);
  say(
    `${options.recipients} recipients of ${campaigns.length} campaigns, ${WORKERS} workers, seed ${options.seed}.`,
  );

  const victims = createVictims(system, [system.part('worker'), ...more.parts], random, options);
  const stoppedAt = new Map<string, number>();
  let whileSending = 0;
  let throttled = 0;
  for (let kill = 1; kill <= kills; kill += 1) {
    if (faults !== null && kill % KILLS_OF_A_STORM === 1) {
      await waitThroughChaos(
        () => countLeft(account, others, recipients),
        (left) => left < recipients,
      );
      const answers = await faults.storm();
      throttled += answers;
      say(`The carrier has answered 429 and nothing else, ${answers} times.`);
    }
    await delay(PAUSE_MS.min + random() * (PAUSE_MS.max - PAUSE_MS.min));
    const left = await countLeft(account, others, recipients);
    if (left > 0) whileSending += 1;
    const losesEngine = target === 'everything' && kill === Math.ceil(kills / 2);
    const harmed = await (losesEngine ? victims.loseEngine() : victims.harmNext());
    say(`${kill}: ${harmed}, with ${left} people left.`);
    if (faults !== null) await stopOne(faults.sandbox, lists, random, stoppedAt);
  }
  await victims.settle();
  await faults?.stop();
  say('The faults have stopped.');
  if (whileSending < kills / 2) {
    throw new Error(`Only ${whileSending} of ${kills} times anybody was left: give more recipients.`);
  }
  const budget = await liftBudget(
    account,
    { id: campaigns[0]?.id ?? '', budgetMicroUsd, numbers: lists[0]?.numbers ?? [] },
    () => readLedger(ledgerUrl),
    HEAL_MS_MAX,
  );
  const reports: ChaosCampaign['report'][] = [];
  for (const { id } of campaigns) reports.push(await waitForEnd(account, id, say));

  const record: ChaosRecord = {
    accountId: account.accountId,
    campaignIds: campaigns.map((campaign) => campaign.id),
    reports,
    harm: victims.harm,
    kinds: victims.kinds,
    kills,
    faults: faults === null ? null : { ...(await faults.seen()), throttledInStorms: throttled },
    budget,
    slotsOfWorker: REQUESTS_AT_ONCE_MAX,
    suppressed,
    stoppedAt,
    spendLimitMicroUsd: SPEND_LIMIT_MICRO_USD,
    bystander: { before, after: await fingerprintOf(urls.database, bystander.accountId) },
  };
  return checkUntilQuiet(async () => checkInvariants(urls.database, await readLedger(ledgerUrl), record));
}

/** As slow as it takes for the texts to go out for as long as processes are harmed. */
function paceFor({ kills, recipients }: KillOptions): number {
  const harmS = (kills * (PAUSE_MS.min + PAUSE_MS.max)) / 2 / 1_000;
  return Math.min(PACE.max, Math.max(PACE.min, Math.ceil(recipients / harmS)));
}

interface ChaosList {
  readonly id: string;
  readonly numbers: readonly string[];
}

async function makeLists(account: ChaosAccount, recipients: number): Promise<ChaosList[]> {
  const count = Math.max(2, Math.ceil(recipients / RECIPIENTS_OF_CAMPAIGN_MAX));
  if (count > AREAS.length) {
    throw new Error(`At most ${AREAS.length * RECIPIENTS_OF_CAMPAIGN_MAX} recipients.`);
  }
  await account.api.patch('/v1/account', {
    spendLimit: { amountMicro: SPEND_LIMIT_MICRO_USD, currency: 'USD' },
  });
  const lists: ChaosList[] = [];
  for (const [index, area] of AREAS.slice(0, count).entries()) {
    const numbers = numbersOf(area, Math.floor((recipients + index) / count));
    lists.push({ id: await account.list(`Area ${area}`, numbers, nameOf), numbers });
  }
  return lists;
}

/** Enough for most of whoever gets a personal text, and not for all. */
function budgetFor(list: ChaosList | undefined): number {
  const costs = (list?.numbers ?? []).map((_number, index) => personalCostOf(index));
  return Math.floor(costs.reduce((sum, cost) => sum + cost, 0) * BUDGET_SHARE);
}

async function suppressSome(
  account: ChaosAccount,
  lists: readonly ChaosList[],
  random: () => number,
): Promise<string[]> {
  const chosen = new Set<string>();
  while (chosen.size < SUPPRESSED) chosen.add(someNumber(lists, random));
  for (const number of chosen) {
    await account.api.post('/v1/suppressions', { number, kind: 'manual', reason: 'Chaos' });
  }
  return [...chosen];
}

function someNumber(lists: readonly ChaosList[], random: () => number): string {
  const list = lists[Math.floor(random() * lists.length)];
  return list?.numbers[Math.floor(random() * list.numbers.length)] ?? '';
}

/** How many have not been dealt with yet; those of a campaign that is not frozen are counted, too. */
async function countLeft(
  account: ChaosAccount,
  campaigns: readonly ChaosCampaign[],
  recipients: number,
): Promise<number> {
  let left = recipients;
  for (const { id } of campaigns) {
    const { report } = await waitThroughChaos(
      () => account.campaign(id),
      () => true,
    );
    left -= report.accepted + report.unknown + report.expired;
    for (const { count } of [...report.rejected, ...report.skipped]) left -= count;
  }
  return left;
}

/** Somebody sends STOP. It counts from when it was answered; one that nobody answered counts for nothing. */
async function stopOne(
  sandbox: ApiClient,
  lists: readonly ChaosList[],
  random: () => number,
  stoppedAt: Map<string, number>,
): Promise<void> {
  const number = someNumber(lists, random);
  const answer = await sandbox
    .post<{ status: number | null }>('/sandbox/inbound', { from: number, to: ADDRESS, text: 'STOP' })
    .catch(() => null);
  if (answer?.status === 200 && !stoppedAt.has(number)) stoppedAt.set(number, Date.now());
}

/** Everybody has been dealt with; a campaign that a cause outside has suspended is resumed by its owner. */
async function waitForEnd(
  account: ChaosAccount,
  id: string,
  say: (line: string) => void,
): Promise<ChaosCampaign['report']> {
  return waitThroughChaos(
    async () => {
      const campaign = await account.campaign(id);
      if (campaign.status === 'suspended') {
        const resumed = await account.api.post(`/v1/campaigns/${id}/resume`, {}).then(
          () => true,
          () => false,
        );
        if (resumed) say('A suspended campaign was resumed.');
      }
      return campaign.report;
    },
    (report) => report.waiting + report.deferred + report.inFlight === 0,
    HEAL_MS_MAX,
  );
}
