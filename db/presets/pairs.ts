import { sql } from 'kysely';
import type { PresetSize } from '../../domain/preset.ts';
import { textsLiteral } from '../array-literal.ts';
import type { Trx } from '../database.ts';

/** A sub-account and a list of it, each by its id; files may name them instead. */
export interface Pair {
  readonly account: string;
  readonly list: string;
}

/** What became of a pair: it was added, was there already, or names what the account or the sub-account has not got. */
export type PairVerdict = 'added' | 'known' | 'foreign_account' | 'ambiguous_account' | 'no_list';

/**
 * Adds those pairs to a locked preset that name a sub-account of the transaction's account and a list of it, and says
 * of each in its place what became of it.
 */
export async function addPairs(
  trx: Trx,
  presetId: string,
  pairs: readonly Pair[],
): Promise<readonly PairVerdict[]> {
  const { rows } = await sql<{ place: number; verdict: PairVerdict }>`
    select place, verdict from add_pairs(${presetId}, ${accountsOf(pairs)}::text[], ${listsOf(pairs)}::text[])
    order by place`.execute(trx);
  return rows.map(({ verdict }) => verdict);
}

/** Takes pairs out of a locked preset. Resolves with the places of those that are not in it. */
export async function removePairs(trx: Trx, presetId: string, pairs: readonly Pair[]): Promise<number[]> {
  const { rows } = await sql<Pair>`
    delete from preset_pairs p using unnest(${accountsOf(pairs)}::text[], ${listsOf(pairs)}::text[]) as g(account, list)
    where p.preset_id = ${presetId} and p.sub_account_id = g.account and p.list_id = g.list
    returning p.sub_account_id as account, p.list_id as list`.execute(trx);
  const removed = new Set(rows.map(keyOf));
  return pairs.flatMap((pair, place) => (removed.has(keyOf(pair)) ? [] : [place]));
}

/** How large a preset is now. */
export async function measurePreset(trx: Trx, presetId: string): Promise<PresetSize> {
  const { rows } = await sql<PresetSize>`
    select count(*)::int as accounts, coalesce(sum(lists), 0)::int as pairs,
      coalesce(max(lists), 0)::int as "listsOfOneAccount"
    from (select count(*) as lists from preset_pairs where preset_id = ${presetId} group by sub_account_id) as a`.execute(
    trx,
  );
  return rows[0] ?? { accounts: 0, pairs: 0, listsOfOneAccount: 0 };
}

/** Which pairs a preset has is a part of what was read of it. Resolves with its new version. */
export async function raisePresetVersion(trx: Trx, id: string): Promise<number> {
  const { version } = await trx
    .updateTable('presets')
    .set((set) => ({ version: set('version', '+', 1) }))
    .where('id', '=', id)
    .returning('version')
    .executeTakeFirstOrThrow();
  return version;
}

const accountsOf = (pairs: readonly Pair[]): string => textsLiteral(pairs.map(({ account }) => account));
const listsOf = (pairs: readonly Pair[]): string => textsLiteral(pairs.map(({ list }) => list));
const keyOf = ({ account, list }: Pair): string => `${account} ${list}`;
