import type { Client } from 'pg';
import type { LedgerLine } from '../carrier-ledger.ts';
import type { Invariant } from '../invariant.ts';
import type { CentralRecord } from './record.ts';

/** Behind a pause or an abort nobody is leased, and no more goes out than its answer has named. */
export async function nothingBehindStops(
  db: Client,
  ledger: readonly LedgerLine[],
  { centralId, stops }: CentralRecord,
): Promise<Invariant> {
  let leased = 0;
  let beyond = 0;
  let late = 0;
  for (const { part, answeredAt, liftedAt, inFlight } of stops) {
    const until = liftedAt ?? Date.now();
    const { rows } = await db.query<{ leases: number }>(
      `select count(*)::int as leases from leases l join campaigns c on c.key = l.campaign_key
       where c.central_id = $1 and ($2::text is null or c.id = $2)
         and l.opened_at between to_timestamp($3::float8 / 1000) and to_timestamp($4::float8 / 1000)`,
      [centralId, part?.campaignId ?? null, answeredAt, until],
    );
    leased += rows[0]?.leases ?? 0;
    if (part === null || inFlight === null) continue;
    const { address } = part.account;
    const after = ledger.filter(({ src, time }) => src === address && time > answeredAt && time < until);
    late += after.length;
    beyond += Math.max(0, after.length - inFlight);
  }
  const what = [...new Set(stops.map((stop) => stop.what))];
  const told = what.map((one) => `${stops.filter((stop) => stop.what === one).length} ${one}`);
  return {
    name: 'Behind a pause or an abort nobody is leased, and no more goes out than it has named',
    holds: leased === 0 && beyond === 0,
    figures: `${told.join(', ') || 'none ordered'}: ${leased} leases behind them, ${late} texts after the answer, ${beyond} of them not named`,
  };
}

/** I5, of each account by itself. */
export async function spentAsUsed(db: Client, { family }: CentralRecord): Promise<Invariant> {
  const { rows } = await db.query<{ spent: number; used: number }>(
    `select coalesce((select sum(m.spent_micro_usd) from spend_months m where m.account_id = x.id), 0)::float8 as spent,
       coalesce((select sum(a.cost_micro_usd) from attempts a
         left join outcomes o on o.month = a.month and o.message_key = a.message_key and o.recipient = a.recipient
           and o.attempt = a.attempt and o.stage = 'final' and o.status = 'failed' and coalesce(o.billed_micro_usd, 0) = 0
         where a.account_id = x.id and a.result in ('accepted', 'unknown') and o.stage is null), 0)::float8 as used
     from unnest($1::text[]) as x(id)`,
    [family.subAccounts.map(({ accountId }) => accountId)],
  );
  const wrong = rows.filter(({ spent, used }) => spent !== used).length;
  const spent = rows.reduce((sum, one) => sum + one.spent, 0);
  return {
    name: 'I5 each account has spent what its own texts cost that were taken or may have been',
    holds: wrong === 0 && spent > 0,
    figures: `${spent} micro-dollars of ${rows.length} accounts, ${wrong} of them with another sum than their texts`,
  };
}
