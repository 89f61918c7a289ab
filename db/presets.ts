import { sql } from 'kysely';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';
import { type Listed, nameHas, type Order, orderOf, type Part } from './listing.ts';

/** A named set of pairs of sub-account and contact list, to which a parent sends. */
export interface Preset {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly createdAt: Date;
}

/** What presets can be sorted by. */
export const PRESET_SORTS = ['name', 'createdAt'] as const;

const COLUMNS = ['id', 'name', 'version', 'created_at as createdAt'] as const;

/** Makes a preset without pairs. Null if the account has one of this name, without regard to case. */
export async function insertPreset(trx: Trx, accountId: string, name: string): Promise<Preset | null> {
  const row = await trx
    .insertInto('presets')
    .values({ id: newId('pre'), account_id: accountId, name })
    .onConflict((conflict) => conflict.doNothing())
    .returning(COLUMNS)
    .executeTakeFirst();
  return row ?? null;
}

/** The preset, or null when the account has none of this id. */
export async function findPreset(trx: Trx, id: string): Promise<Preset | null> {
  return (await existing(trx, id).executeTakeFirst()) ?? null;
}

/** The same, locked against other changes of it and of its pairs until the transaction ends. */
export async function lockPreset(trx: Trx, id: string): Promise<Preset | null> {
  return (await existing(trx, id).forNoKeyUpdate().executeTakeFirst()) ?? null;
}

function existing(trx: Trx, id: string) {
  return trx.selectFrom('presets').where('id', '=', id).where('deleted_at', 'is', null).select(COLUMNS);
}

/** How many presets the account has. */
export async function countPresets(trx: Trx): Promise<number> {
  const { count } = await trx
    .selectFrom('presets')
    .where('deleted_at', 'is', null)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

/** A page of presets, and how many there are in all. `q` finds a part of a name. */
export async function listPresets(
  trx: Trx,
  query: { readonly q?: string } & Order<(typeof PRESET_SORTS)[number]> & Part,
): Promise<Listed<Preset>> {
  let rows = trx.selectFrom('presets').where('deleted_at', 'is', null);
  if (query.q !== undefined) rows = rows.where(nameHas(sql.ref('name'), query.q));
  const sorts = { name: sql`lower(name)`, createdAt: sql.ref('created_at') };
  const [{ total }, items] = await Promise.all([
    rows.select((select) => select.fn.countAll<number>().as('total')).executeTakeFirstOrThrow(),
    rows
      .select(COLUMNS)
      .orderBy(orderOf(sorts[query.sort], query))
      .limit(query.limit)
      .offset(query.offset)
      .execute(),
  ]);
  return { items, total };
}

/** Renames a preset. Throws PostgreSQL's unique violation of `presets_name` when the name is taken. */
export async function renamePreset(trx: Trx, id: string, name: string): Promise<void> {
  await trx
    .updateTable('presets')
    .set((set) => ({ name, version: set('version', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

/** Takes a preset away with its pairs; its name is free again. */
export async function deletePreset(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('preset_pairs').where('preset_id', '=', id).execute();
  await trx
    .updateTable('presets')
    .set((set) => ({ deleted_at: sql<Date>`clock_timestamp()`, version: set('version', '+', 1) }))
    .where('id', '=', id)
    .execute();
}
