import { FINAL_PART_STATES } from '../../domain/central/part-states.ts';
import { withOwner } from '../../dev/with-owner.ts';

/** How far a fan-out has come: accounts, by where their parts stand. */
export interface Standing {
  readonly accounts: number;
  /** The account has no campaign yet. */
  readonly lacking: number;
  /** It has one, whose run has not begun yet. */
  readonly made: number;
  /** Its run has begun, or is over. */
  readonly handed: number;
  readonly over: number;
}

/** A part that has a campaign. */
export interface PartRow {
  readonly accountId: string;
  readonly campaignId: string;
  readonly state: string;
}

/** Reads it from the rows alone, so that it can be read while the engine is down. */
export function readStanding(databaseUrl: string, centralId: string): Promise<Standing> {
  return withOwner(databaseUrl, async (db) => {
    const { rows } = await db.query<Standing>(
      `select count(*)::int as accounts,
         count(*) filter (where state = 'waiting' and campaign_id is null)::int as lacking,
         count(*) filter (where state = 'waiting' and campaign_id is not null)::int as made,
         count(*) filter (where state <> 'waiting')::int as handed,
         count(*) filter (where state = any($2))::int as over
       from central_parts where central_id = $1`,
      [centralId, FINAL_PART_STATES],
    );
    const [standing] = rows;
    if (standing === undefined) throw new Error('A count has no row.');
    return standing;
  });
}

/** Whether some have been handed over and others have not. */
export function isMidFanOut({ handed, accounts }: Standing): boolean {
  return handed > 0 && handed < accounts;
}

/** A standing in words. */
export function wordsOf({ accounts, lacking, made, handed, over }: Standing): string {
  return `${handed} of ${accounts} parts handed over (${over} of them over), ${made} made and not begun, ${lacking} not made`;
}

/** The parts that have a campaign, in the order of their accounts. */
export function readParts(databaseUrl: string, centralId: string): Promise<PartRow[]> {
  return withOwner(databaseUrl, async (db) => {
    const { rows } = await db.query<PartRow>(
      `select sub_account_id as "accountId", campaign_id as "campaignId", state
       from central_parts where central_id = $1 and campaign_id is not null order by number`,
      [centralId],
    );
    return rows;
  });
}
