import type { Client } from 'pg';
import { campaignWorkflowId, centralWorkflowId, messageWorkflowId } from '../../workflows/contract.ts';
import type { Invariant } from '../invariant.ts';
import type { CentralRecord, Deletion } from './record.ts';
import { checkRows } from './rows.ts';
import { countOverlaps } from './runs.ts';
import { type PartRow, wordsOf } from './standing.ts';

/** Nobody's account is forgotten: each part was handed over and has ended, and so has the whole. */
export async function everyPartEnded(
  db: Client,
  { centralId, family, aborted }: Pick<CentralRecord, 'centralId' | 'family' | 'aborted'>,
): Promise<Invariant> {
  const { rows } = await db.query<{ state: string; accounts: number }>(
    'select state, count(*)::int as accounts from central_parts where central_id = $1 group by 1 order by 1',
    [centralId],
  );
  const inState = (wanted: string): number => rows.find(({ state }) => state === wanted)?.accounts ?? 0;
  const all = family.subAccounts.length;
  const { rows: whole } = await db.query<{ status: string }>('select status from campaigns where id = $1', [
    centralId,
  ]);
  const status = whole[0]?.status ?? 'gone';
  return {
    name: "Every account's part was handed over and has ended",
    holds:
      status === 'finished' &&
      inState('done') === all - aborted.size &&
      inState('aborted') === aborted.size &&
      rows.every(({ state }) => state === 'done' || state === 'aborted'),
    figures:
      `${all} accounts: ${rows.map(({ state, accounts }) => `${accounts} ${state}`).join(', ')}, of which ` +
      `${aborted.size} by their own order; the whole is ${status}`,
  };
}

/** One campaign for each account, one audience and one first wave of each, and never two runs of it at a time. */
export async function noneStartedTwice(
  db: Client,
  {
    centralId,
    family,
    runs,
    deletion,
  }: Pick<CentralRecord, 'centralId' | 'family' | 'runs'> & {
    readonly deletion: Pick<Deletion, 'at' | 'open'> | null;
  },
  parts: readonly PartRow[],
): Promise<Invariant> {
  const { rows } = await db.query<{ campaigns: number; accounts: number; waves: number; audiences: number }>(
    `select count(*)::int as campaigns, count(distinct account_id)::int as accounts,
       (select count(*)::int from (
         select from waves w join campaigns c on c.key = w.campaign_key where c.central_id = $1 and w.wave = 0
         group by w.message_key, w.cohort having count(*) > 1) x) as waves,
       (select count(*)::int from (
         select from recipients r join campaigns c on c.key = r.campaign_key where c.central_id = $1
         group by c.key, r.number having count(*) > 1) x) as audiences
     from campaigns where central_id = $1`,
    [centralId],
  );
  const { campaigns = 0, accounts = 0, waves = 0, audiences = 0 } = rows[0] ?? {};
  const runsOf = new Map<string, number>();
  for (const { workflowId } of runs) runsOf.set(workflowId, (runsOf.get(workflowId) ?? 0) + 1);
  const count = (idOf: (campaignId: string) => string, isIt: (found: number) => boolean): number =>
    parts.filter(({ campaignId }) => isIt(runsOf.get(idOf(campaignId)) ?? 0)).length;
  const own = new Set(parts.flatMap(({ campaignId }) => idsOf(campaignId)));
  const ours = runs.filter(
    ({ workflowId }) => own.has(workflowId) || workflowId.startsWith(centralWorkflowId(centralId)),
  );
  const overlaps = countOverlaps(ours);
  // What was begun before is gone with the data.
  const old = ours.filter(({ startedAt }) => startedAt < (deletion?.at ?? 0)).length;
  const lost = new Set(deletion?.open);
  const gone = parts.filter(
    ({ campaignId }) => lost.has(campaignId) && !runsOf.has(campaignWorkflowId(campaignId)),
  ).length;
  return {
    name: 'None was started twice',
    holds:
      campaigns === family.subAccounts.length &&
      accounts === campaigns &&
      parts.length === campaigns &&
      waves + audiences + overlaps + old + gone === 0,
    figures:
      `${campaigns} campaigns of ${accounts} accounts, ${audiences} people twice in an audience, ${waves} first waves twice; ` +
      `since the deletion ${count(campaignWorkflowId, (found) => found === 1)} parts with one run and ` +
      `${count(campaignWorkflowId, (found) => found > 1)} with several one after another ` +
      `(of their messages ${count(messageOf, (found) => found === 1)} and ${count(messageOf, (found) => found > 1)}), ` +
      `${overlaps} runs at the same time as another of the same, ${old} from before; of ${lost.size} parts that were open then ` +
      `${gone} have had no run since`,
  };
}

const messageOf = (campaignId: string): string => messageWorkflowId(campaignId, 1);
const idsOf = (campaignId: string): string[] => [campaignWorkflowId(campaignId), messageOf(campaignId)];

/** In the database nothing of a part leads to another account than its own. */
export async function noRowAstray(
  db: Client,
  { centralId }: Pick<CentralRecord, 'centralId'>,
): Promise<Invariant> {
  const checks = await checkRows(db, centralId);
  const astray = checks.filter((one) => one.astray > 0);
  const rows = checks.reduce((sum, one) => sum + one.rows, 0);
  // What every run fills; a query that finds nothing would prove nothing.
  const empty = NEVER_EMPTY.filter((name) => !checks.some((one) => one.what === name && one.rows > 0));
  return {
    name: 'No row of one account leads to another account',
    holds: astray.length === 0 && empty.length === 0,
    figures:
      `${rows} rows in ${checks.length} places, astray: ` +
      (astray.map((one) => `${one.astray} of ${one.what}`).join(', ') || 'none') +
      (empty.length === 0 ? '' : `; without any row: ${empty.join(', ')}`),
  };
}

const NEVER_EMPTY = [
  'messages',
  'recipients',
  'waves',
  'leases',
  'attempts',
  'outcomes',
  'log',
  'parts and their campaigns',
  'campaigns and their senders',
  'campaigns and their lists',
  'recipients and contacts on those lists',
  'leases and their senders',
  'attempts and their leases',
];

/** A run proves only what it has met: Temporal lost its data, and more was harmed, while parts were being handed over. */
export function wasInMidFanOut({
  deletion,
  harmsInFanOut,
}: Pick<CentralRecord, 'deletion' | 'harmsInFanOut'>): Invariant {
  const isMid = deletion !== null && deletion.standing.handed > 0 && deletion.waiting > 0;
  return {
    name: "Temporal's data was deleted in mid fan-out",
    holds: isMid && harmsInFanOut > 1,
    figures:
      deletion === null
        ? 'it was not deleted'
        : `${wordsOf(deletion.standing)}, ${deletion.texts} texts accepted by then; ${harmsInFanOut} harms in all before the last part was handed over` +
          (isMid ? '' : '; this run has shown nothing'),
  };
}
