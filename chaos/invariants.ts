import type { Client } from 'pg';
import { withOwner } from '../dev/with-owner.ts';
import type { ChaosCampaign } from './account.ts';
import type { LedgerLine } from './carrier-ledger.ts';
import type { BudgetRecord } from './budget.ts';
import type { FaultsSeen } from './carrier-faults.ts';
import { type LostRequest, unexplained, whenLost } from './lost-requests.ts';
import type { HarmKind } from './harm-draw.ts';
import type { Harm } from './victims.ts';

/** One invariant, whether it holds, and the figures that say so. */
export interface Invariant {
  readonly name: string;
  readonly holds: boolean;
  readonly figures: string;
}

/** A digest of an account's rows, by table. */
export type Fingerprint = ReadonlyMap<string, string>;

/** What was done and seen while the campaigns ran. */
export interface ChaosRecord {
  readonly accountId: string;
  readonly campaignIds: readonly string[];
  /** What each campaign's report says in the end. */
  readonly reports: readonly ChaosCampaign['report'][];
  readonly harm: Readonly<Harm>;
  /** What harm was drawn from, and how often. */
  readonly kinds: readonly HarmKind[];
  readonly kills: number;
  /** How a carrier that was told to misbehave has answered; null for one that was not. */
  readonly faults: (FaultsSeen & { readonly throttledInStorms: number }) | null;
  readonly budget: BudgetRecord;
  readonly slotsOfWorker: number;
  /** Numbers suppressed before the launch. */
  readonly suppressed: readonly string[];
  /** Instants (epoch milliseconds) at which a STOP was answered. */
  readonly stoppedAt: ReadonlyMap<string, number>;
  readonly spendLimitMicroUsd: number;
  /** Rows of an account that nobody touched, before and after. */
  readonly bystander: { readonly before: Fingerprint; readonly after: Fingerprint };
}

interface Person {
  readonly number: string;
  /** Attempts that the carrier has taken for certain. */
  readonly accepted: number;
  readonly unknown: number;
  readonly isSettled: boolean;
}

/** Accepted by the carrier's clock so long after a STOP was answered, it cannot have been on its way. */
const ON_ITS_WAY_MS = 1_000;

/** Compares the database with the carrier's ledger. */
export function checkInvariants(
  databaseUrl: string,
  ledger: readonly LedgerLine[],
  record: ChaosRecord,
): Promise<Invariant[]> {
  return withOwner(databaseUrl, async (db) => {
    const people = await readPeople(db, record.campaignIds);
    const texts = byNumber(ledger);
    return [
      noneTwice(people, texts),
      everybodyCounted(people, record.reports),
      asTheLedgerSays(people, texts),
      nobodyBarred(texts, record),
      await spendWithin(db, record),
      await fewUnknown(db, record),
      everybodySettled(people),
      untouched(record.bystander),
      allHasHappened(record),
    ];
  });
}

async function readPeople(db: Client, campaignIds: readonly string[]): Promise<Person[]> {
  const { rows } = await db.query<Person>(
    `select r.number,
       count(*) filter (where a.result = 'accepted' or resolved.status is not null)::int as accepted,
       count(*) filter (where a.result = 'unknown' and resolved.status is null)::int as unknown,
       (coalesce(bool_or(a.result in ('accepted', 'unknown', 'rejected')), false)
         or exists (select from outcomes s where s.month = r.month and s.message_key = m.key
           and s.recipient = r.recipient and s.attempt = 0)) as "isSettled"
     from campaigns c
     join messages m on m.campaign_id = c.id
     join recipients r on r.month = c.audience_month and r.campaign_key = c.key
     left join attempts a on a.month = r.month and a.message_key = m.key and a.recipient = r.recipient
     left join outcomes resolved on resolved.month = a.month and resolved.message_key = a.message_key
       and resolved.recipient = a.recipient and resolved.attempt = a.attempt and resolved.stage = 'resolved'
     where c.id = any($1)
     group by r.month, m.key, r.recipient, r.number`,
    [campaignIds],
  );
  return rows;
}

type Texts = ReadonlyMap<string, readonly LedgerLine[]>;

function byNumber(ledger: readonly LedgerLine[]): Texts {
  const texts = new Map<string, LedgerLine[]>();
  for (const line of ledger) {
    const known = texts.get(line.dst);
    if (known === undefined) texts.set(line.dst, [line]);
    else known.push(line);
  }
  return texts;
}

/** Every campaign has numbers of its own and one message, so a number stands for a message and a person. */
function noneTwice(people: readonly Person[], texts: Texts): Invariant {
  const counted = (number: string): number =>
    (texts.get(number) ?? []).filter((line) => line.final !== 'failed').length;
  const twice = people.filter(({ number }) => counted(number) > 1).length;
  const total = sum(people.map(({ number }) => texts.get(number)?.length ?? 0));
  return {
    name: 'I1 at most one acceptance that did not fail for each message and number',
    holds: twice === 0,
    figures: `${total} accepted texts to ${people.length} recipients, ${twice} texted twice`,
  };
}

function everybodyCounted(people: readonly Person[], reports: ChaosRecord['reports']): Invariant {
  const audience = sum(reports.map((report) => report.recipients));
  const stated = sum(
    reports.map((report) => {
      const { accepted, unknown, expired, deferred, inFlight, waiting } = report;
      const reasons = sum([...report.rejected, ...report.skipped].map(({ count }) => count));
      return accepted + unknown + expired + deferred + inFlight + waiting + reasons;
    }),
  );
  const double = people.length - new Set(people.map((person) => person.number)).size;
  return {
    name: 'I2 the states add up to the audience',
    holds: stated === audience && people.length === audience && double === 0,
    figures: `${audience} recipients in the reports, ${stated} in a state, ${people.length} rows, ${double} counted twice`,
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function asTheLedgerSays(people: readonly Person[], texts: Texts): Invariant {
  let falsely = 0;
  let unseen = 0;
  for (const { number, accepted, unknown } of people) {
    const taken = texts.get(number)?.length ?? 0;
    if (accepted > taken) falsely += 1;
    if (taken > accepted + unknown) unseen += 1;
  }
  const known = new Set(people.map((person) => person.number));
  const strangers = [...texts.keys()].filter((number) => !known.has(number)).length;
  return {
    name: 'I3 accepted is within the ledger, and the ledger within accepted and unknown',
    holds: falsely === 0 && unseen === 0 && strangers === 0,
    figures: `${falsely} falsely accepted, ${unseen} accepted and not known of, ${strangers} who are no recipients`,
  };
}

function nobodyBarred(texts: Texts, { suppressed, stoppedAt, harm }: ChaosRecord): Invariant {
  const barred = suppressed.filter((number) => texts.has(number)).length;
  const late = [...stoppedAt].filter(([number, at]) =>
    (texts.get(number) ?? []).some((line) => line.time > at + ON_ITS_WAY_MS),
  ).length;
  return {
    name: 'I4 nothing to a suppressed number, or after a STOP beyond what was in flight',
    // Who stands still between the last look and the post has it in flight for as long.
    holds: barred === 0 && late <= harm.frozen,
    figures: `${suppressed.length} suppressed and ${barred} of them texted; ${stoppedAt.size} stopped and ${late} of them texted later`,
  };
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

async function fewUnknown(db: Client, record: ChaosRecord): Promise<Invariant> {
  const { rows } = await db.query<LostRequest & { readonly cause: string; readonly recipients: number }>(
    `select a.cause, count(*)::int as recipients,
       (extract(epoch from min(l.opened_at)) * 1000)::float8 as "leasedAt",
       (extract(epoch from max(a.recorded_at)) * 1000)::float8 as "fencedAt"
     from attempts a
     join messages m on m.key = a.message_key
     join leases l on l.month = a.month and l.id = a.lease_id
     where m.campaign_id = any($1) and a.result = 'unknown'
     group by a.cause, a.lease_id, case when m.text like '%{{%' then a.recipient end order by a.cause`,
    [record.campaignIds],
  );
  const { harm, faults, slotsOfWorker } = record;
  const lost = rows.filter(({ cause }) => cause === 'worker_lost');
  const beyond = unexplained(lost, harm.events, slotsOfWorker);
  const ambiguous = rows.length - lost.length;
  // Of a worker that stood still the carrier may have hung up on all that it had under way.
  const most = faults === null ? null : faults.ambiguous + harm.frozen * slotsOfWorker;
  const recipientsOf = (cause: string): number =>
    sum(rows.filter((row) => row.cause === cause).map(({ recipients }) => recipients));
  const told = [...new Set(rows.map(({ cause }) => cause))].map((cause) => `${recipientsOf(cause)} ${cause}`);
  return {
    name: 'I6 unknown is at most what lost workers held, and answers that said nothing',
    holds: beyond.length === 0 && (most === null || ambiguous <= most),
    figures:
      `${lost.length} requests of lost workers, ${beyond.length} of them more than those had slots; ${ambiguous} without a ` +
      `clear answer, at most ${most ?? 'as many as the carrier gave'}; attempts: ${told.join(', ') || 'none'}` +
      (beyond.length === 0 ? '' : `; ${whenLost(beyond, harm.events)}`),
  };
}

/** A run proves only what it has met. What is drawn comes once each before it comes again, and once is something else. */
function allHasHappened({ harm, kinds, kills, faults, budget }: ChaosRecord): Invariant {
  const times = (kind: string): number => harm.events.filter(({ what }) => what === kind).length;
  const missing = kills > kinds.length ? kinds.filter((kind) => times(kind) === 0) : [];
  const counts = [...new Set(harm.events.map(({ what }) => what))].map((what) => `${times(what)} ${what}`);
  const storms =
    faults === null ? 'no storm ordered' : `${faults.throttledInStorms} answers of 429 in storms`;
  return {
    name: 'Everything has happened that was to be withstood',
    holds: missing.length === 0 && budget.hasBound && (faults === null || faults.throttledInStorms > 0),
    figures: `${counts.join(', ')}; ${storms}; the budget ${budget.hasBound ? 'was used up' : 'was never used up'}`,
  };
}

function everybodySettled(people: readonly Person[]): Invariant {
  const waiting = people.filter((person) => !person.isSettled).length;
  return {
    name: 'I7 everybody reached a final state after the faults stopped',
    holds: waiting === 0,
    figures: `${people.length - waiting} of ${people.length}`,
  };
}

/** Rows that Carillon itself moves a little later than they are written: events get numbers, keys their last use. */
const MOVING_TABLES = ['api_key_uses', 'event_inbox', 'events', 'event_counters'];

function untouched({ before, after }: ChaosRecord['bystander']): Invariant {
  const changed = [...before]
    .filter(([table, digest]) => after.get(table) !== digest)
    .map(([table]) => table);
  return {
    name: 'I8 no row of another account was seen or touched',
    holds: changed.length === 0 && before.size > 0,
    figures: `${before.size} tables of another account, changed: ${changed.join(', ') || 'none'}`,
  };
}

/** What stands for all rows of an account, in every table that has an account. */
export function fingerprintOf(databaseUrl: string, accountId: string): Promise<Fingerprint> {
  return withOwner(databaseUrl, async (db) => {
    const tables = await db.query<{ name: string }>(
      `select c.table_name as name from information_schema.columns c
       join information_schema.tables t using (table_schema, table_name)
       where c.table_schema = 'public' and c.column_name = 'account_id' and t.table_type = 'BASE TABLE'
         and c.table_name <> all($1) order by 1`,
      [MOVING_TABLES],
    );
    const digests = new Map<string, string>();
    for (const { name } of tables.rows) {
      const { rows } = await db.query<{ digest: string }>(
        `select count(*) || ':' || md5(coalesce(string_agg(t::text, E'\\n' order by t::text), '')) as digest
         from "${name}" t where account_id = $1`,
        [accountId],
      );
      digests.set(name, rows[0]?.digest ?? '');
    }
    return digests;
  });
}
