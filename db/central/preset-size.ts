import { sql } from 'kysely';
import type { Trx } from '../database.ts';

/** To how many accounts a preset sends; 0 without one. */
export async function readPresetSize(trx: Trx, presetId: string | null): Promise<number> {
  if (presetId === null) return 0;
  const { accounts } = await trx
    .selectFrom('preset_pairs')
    .where('preset_id', '=', presetId)
    .select(sql<number>`count(distinct sub_account_id)::int`.as('accounts'))
    .executeTakeFirstOrThrow();
  return accounts;
}
