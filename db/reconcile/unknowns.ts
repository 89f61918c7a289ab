import { sql } from 'kysely';
import type { AttemptKey, Doubt, Evidence, KnownText, Unknown } from '../../domain/dispatch/unknown-store.ts';
import { type Db, type Trx, withAccount } from '../database.ts';
import { count, type Deltas, writeDeltas } from '../dispatch/rollup.ts';
import { resolveUnknowns } from './resolve-unknowns.ts';

/** Carrier accounts with unknown attempts whose turn it is. `at` is machine time in epoch milliseconds. */
export async function carriersToAsk(db: Db, at: number): Promise<string[]> {
  const rows = await sql<{ id: string }>`select id from carriers_to_ask(${new Date(at)})`.execute(db);
  return rows.rows.map((row) => row.id);
}

/** Takes the unknown attempt of a carrier account whose turn it is; nobody else is given it until `againAt`. */
export async function takeUnknown(
  db: Db,
  carrierAccountId: string,
  at: number,
  againAt: number,
): Promise<Unknown | null> {
  const rows = await sql<TakenUnknown>`
    select account_id as "accountId", month, message_key as "messageKey", recipient, attempt, address as "from", number,
      encode(number_hash, 'hex') as "numberHash", posted_since as "postedSince", posted_until as "postedUntil"
    from next_unknown(${carrierAccountId}, ${new Date(at)}, ${new Date(againAt)})`.execute(db);
  const taken = rows.rows[0];
  if (taken === undefined) return null;
  return { ...taken, postedSince: taken.postedSince.getTime(), postedUntil: taken.postedUntil.getTime() };
}

type TakenUnknown = AttemptKey & TakenDoubt;

/** The same as PostgreSQL tells it. */
export type TakenDoubt = Omit<Doubt, 'postedSince' | 'postedUntil'> & {
  readonly postedSince: Date;
  readonly postedUntil: Date;
};

/** When the next turn of a carrier account's unknown attempts is, in epoch milliseconds; null: there are none. */
export async function nextTurnAt(db: Db, carrierAccountId: string): Promise<number | null> {
  const rows = await sql<{ at: Date | null }>`select next_ask_at(${carrierAccountId}) as at`.execute(db);
  return rows.rows[0]?.at?.getTime() ?? null;
}

/** Texts that were leased in this time from this address to this number, and those that are being posted. */
export async function knownTexts(
  db: Db,
  carrierAccountId: string,
  of: { readonly from: string; readonly numberHash: string },
  since: number,
  until: number,
): Promise<KnownText[]> {
  type Row = AttemptKey & { readonly testKey: number | null } & Omit<KnownText, 'key'>;
  const rows = await sql<Row>`
    select account_id as "accountId", month, message_key as "messageKey", recipient, attempt, test_key as "testKey",
      standing, uuid
    from known_texts(${carrierAccountId}, ${of.from}, decode(${of.numberHash}, 'hex'), ${new Date(since)}, ${new Date(until)})`.execute(
    db,
  );
  return rows.rows.map(({ standing, uuid, accountId, testKey, ...attempt }) => ({
    standing,
    uuid,
    key: testKey === null ? { accountId, ...attempt } : { accountId, testKey },
  }));
}

/**
 * Writes down what the list has said of an unknown attempt, and what follows from it. Whoever was resolved meanwhile
 * stays so: a report is the better proof.
 */
export async function recordVerdict(
  db: Db,
  key: AttemptKey,
  evidence: Evidence,
  uuid: string | null,
): Promise<{ readonly wake: string | null }> {
  return withAccount(db, key.accountId, async (trx) => {
    const deltas: Deltas = new Map();
    if (evidence.verdict === 'accepted') {
      const resolved = await resolveUnknowns(trx, key, [{ ...key, uuid }]);
      count(deltas, 'accepted', resolved);
      count(deltas, 'resolved', resolved);
    }
    const isAbsent = evidence.verdict === 'absent' && (await setAbsent(trx, key));
    if (isAbsent) count(deltas, 'absent');
    const wake = isAbsent ? await noteRetry(trx, key) : null;
    await keepEvidence(trx, key, evidence);
    await writeDeltas(trx, key.accountId, key.messageKey, deltas);
    return { wake };
  });
}

/**
 * Where the account has chosen so before the text was posted, a new one may follow by itself while the campaign runs.
 * Resolves with the campaign that is to decide it.
 */
async function noteRetry(trx: Trx, key: AttemptKey): Promise<string | null> {
  const noted = await sql<{ id: string }>`
    with noted as (
      insert into retries (account_id, month, message_key, recipient, attempt, why)
      select u.account_id, u.month, u.message_key, u.recipient, u.attempt, 'absent'
      from unknowns u join accounts a on a.id = u.account_id and a.resend_absent_since <= u.posted_since
      join campaigns c on c.key = u.campaign_key and c.deleted_at is null
        and c.status in ('processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended', 'stopped')
      where u.month = ${key.month} and u.message_key = ${key.messageKey} and u.recipient = ${key.recipient}
        and u.attempt = ${key.attempt}
      on conflict do nothing
      returning message_key
    )
    select m.campaign_id as id from noted n join messages m on m.key = n.message_key`.execute(trx);
  return noted.rows[0]?.id ?? null;
}

/** Whether the list is still to tell of somebody of these messages who then may be sent again by himself. */
export async function mayBeResent(trx: Trx, messageKeys: readonly number[]): Promise<boolean> {
  const rows = await sql`
    select 1 from unknowns u join accounts a on a.id = u.account_id and a.resend_absent_since <= u.posted_since
    where u.message_key = any(${[...messageKeys]}::bigint[]) and u.state = 'open' limit 1`.execute(trx);
  return rows.rows.length > 0;
}

async function setAbsent(trx: Trx, key: AttemptKey): Promise<boolean> {
  const set = await unknownOf(trx, key)
    .where('state', '=', 'open')
    .set({ state: 'absent' })
    .executeTakeFirst();
  return set.numUpdatedRows > 0n;
}

async function keepEvidence(trx: Trx, key: AttemptKey, evidence: Evidence): Promise<void> {
  await unknownOf(trx, key)
    .where('state', '<>', 'superseded')
    .set((set) => ({
      asks: set('asks', '+', 1),
      asked_at: new Date(evidence.askedAt),
      listed_since: new Date(evidence.since),
      listed_until: new Date(evidence.until),
      listed: evidence.listed,
      explained: evidence.explained,
      is_complete: evidence.isComplete,
      verdict: evidence.verdict,
      next_ask_at: new Date(evidence.nextAskAt),
    }))
    .execute();
}

function unknownOf(trx: Trx, key: AttemptKey) {
  return trx
    .updateTable('unknowns')
    .where('month', '=', key.month)
    .where('message_key', '=', key.messageKey)
    .where('recipient', '=', key.recipient)
    .where('attempt', '=', key.attempt);
}

/** Gives an unknown attempt its turn later, when the list could not be asked. */
export async function putOff(db: Db, key: AttemptKey, until: number): Promise<void> {
  await withAccount(db, key.accountId, (trx) =>
    unknownOf(trx, key)
      .set({ next_ask_at: new Date(until) })
      .execute(),
  );
}

/** Calls those final that were posted before an instant of machine time, some at a time. Resolves with how many. */
export async function closeUnknowns(
  db: Db,
  carrierAccountId: string,
  postedBefore: number,
  howMany: number,
): Promise<number> {
  const rows = await sql<{ closed: number }>`
    select close_unknowns(${carrierAccountId}, ${new Date(postedBefore)}, ${howMany}) as closed`.execute(db);
  return rows.rows[0]?.closed ?? 0;
}

/** How many unknown attempts of these messages the list has not told of yet. */
export async function countUnknowns(
  trx: Trx,
  messageKeys: readonly number[],
): Promise<{ readonly unresolved: number }> {
  const rows = await sql<{ unresolved: number }>`
    select count(*)::int as unresolved from unknowns
    where message_key = any(${[...messageKeys]}::bigint[]) and state = 'open'`.execute(trx);
  return { unresolved: rows.rows[0]?.unresolved ?? 0 };
}
