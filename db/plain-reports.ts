import { sql } from 'kysely';
import type { Trx } from './database.ts';

/** A report as the functions of the ledger take it. */
export interface ReportRow {
  /** Its place in the batch. */
  readonly index: number;
  readonly account: string;
  readonly month: string;
  readonly lease: number;
  /** The keyed hash of the number, in hexadecimal. */
  readonly hash: string;
  readonly uuid: string;
  readonly status: 'queued' | 'sent' | 'delivered' | 'undelivered' | 'failed';
  readonly code: string | null;
  /** As what the number must not be texted again. */
  readonly suppress: string | null;
  readonly units: number | null;
  readonly billed: number | null;
}

const STAGES = {
  queued: null,
  sent: 'sent',
  delivered: 'final',
  undelivered: 'final',
  failed: 'final',
} as const;

/**
 * Applies the plain ones among these reports: of an attempt that is known as accepted under that uuid, with nothing
 * to follow from what they say. Resolves with the verdicts of those; all others are untouched.
 */
export async function applyPlainReports(
  trx: Trx,
  rows: readonly ReportRow[],
): Promise<{ readonly index: number; readonly verdict: 'applied' | 'repeated' }[]> {
  const others = peopleLeftAlone(rows);
  const plain = rows
    .filter((row) => others.size === 0 || !others.has(personOf(row)))
    .map(({ index, account, month, lease, hash, uuid, status, code, units, billed }) => ({
      index,
      account,
      month,
      lease,
      hash,
      uuid,
      status,
      units,
      billed,
      stage: STAGES[status],
      code: STAGES[status] === 'final' ? code : null,
    }));
  if (plain.length === 0) return [];
  const result = await sql<{ index: number; verdict: 'applied' | 'repeated' }>`
    select index, verdict from apply_plain_reports(${JSON.stringify(plain)}::jsonb)`.execute(trx);
  return result.rows;
}

/** What is reported of one person is applied in the order in which it came, and the first to name a uuid binds him. */
function peopleLeftAlone(rows: readonly ReportRow[]): ReadonlySet<string> {
  const others = new Set<string>();
  const uuids = new Map<string, string>();
  for (const row of rows) {
    const person = personOf(row);
    const uuid = uuids.get(person);
    if (uuid === undefined) uuids.set(person, row.uuid);
    if (!isPlain(row) || (uuid !== undefined && uuid !== row.uuid)) others.add(person);
  }
  return others;
}

function personOf({ month, lease, hash }: ReportRow): string {
  return `${month} ${lease} ${hash}`;
}

/** A text that failed may be tried again, and its cost is given back; a code may bar the number. */
function isPlain(row: ReportRow): boolean {
  return row.status !== 'failed' && (row.suppress === null || row.status === 'delivered');
}
