import type { Client } from 'pg';
import type { FaultsSeen } from './carrier-faults.ts';
import type { Invariant } from './invariant.ts';
import { type LostRequest, unexplained, whenLost } from './lost-requests.ts';
import { sum } from './sum.ts';
import type { Harm } from './victims.ts';

/** What explains attempts of which nobody knows what became of them. */
export interface UnknownRecord {
  readonly campaignIds: readonly string[];
  readonly harm: Readonly<Harm>;
  /** How a carrier that was told to misbehave has answered; null for one that was not. */
  readonly faults: FaultsSeen | null;
  readonly slotsOfWorker: number;
}

/** I6. An attempt is unknown only where a request was lost that somebody has harmed, or the carrier gave no clear answer. */
export async function fewUnknown(db: Client, record: UnknownRecord): Promise<Invariant> {
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
