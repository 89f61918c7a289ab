import { sql } from 'kysely';
import { DEFAULT_REFUSED_PHRASES } from '../domain/content-check.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';
import { type Listed, nameHas, type Order, orderOf, type Part } from './listing.ts';

/** A dated phrase for which campaigns are rejected; days as YYYY-MM-DD, the last exclusive. */
export interface KeptPhrase {
  readonly id: string;
  readonly phrase: string;
  readonly reason: string;
  readonly effectiveFrom: string;
  readonly effectiveTo: string | null;
}

const COLUMNS = [
  'id',
  'phrase',
  'reason',
  'effective_from as effectiveFrom',
  'effective_to as effectiveTo',
] as const;

/** What phrases can be sorted by. */
export const PHRASE_SORTS = ['phrase', 'effectiveFrom', 'createdAt'] as const;

/** Which phrases. */
export interface PhraseQuery extends Order<(typeof PHRASE_SORTS)[number]>, Part {
  /** A part of the phrase. */
  readonly q?: string;
  /** A day, as YYYY-MM-DD, on which they have effect. */
  readonly effectiveOn?: string;
}

/** A page of the installation's refused phrases, and how many there are. */
export async function listRefusedPhrases(trx: Trx, query: PhraseQuery): Promise<Listed<KeptPhrase>> {
  let rows = trx.selectFrom('refused_phrases');
  const { q, effectiveOn } = query;
  if (q !== undefined) rows = rows.where(nameHas(sql.ref('phrase'), q));
  if (effectiveOn !== undefined) {
    rows = rows
      .where('effective_from', '<=', effectiveOn)
      .where((where) =>
        where.or([where('effective_to', 'is', null), where('effective_to', '>', effectiveOn)]),
      );
  }
  const sorts = {
    phrase: sql`lower(phrase)`,
    effectiveFrom: sql.ref('effective_from'),
    createdAt: sql.ref('created_at'),
  };
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

/** The phrase with its version, or null. */
export async function findRefusedPhrase(
  trx: Trx,
  id: string,
): Promise<(KeptPhrase & { readonly version: number }) | null> {
  const row = await trx
    .selectFrom('refused_phrases')
    .where('id', '=', id)
    .select([...COLUMNS, 'version'])
    .executeTakeFirst();
  return row ?? null;
}

/** Adds a phrase. */
export async function insertRefusedPhrase(trx: Trx, phrase: Omit<KeptPhrase, 'id'>): Promise<string> {
  const id = newId('phr');
  await trx
    .insertInto('refused_phrases')
    .values({
      id,
      phrase: phrase.phrase,
      reason: phrase.reason,
      effective_from: phrase.effectiveFrom,
      effective_to: phrase.effectiveTo,
    })
    .execute();
  return id;
}

/** Takes a phrase out of the list and resolves with it; null when there is none of this id. */
export async function deleteRefusedPhrase(trx: Trx, id: string): Promise<KeptPhrase | null> {
  const deleted = await trx
    .deleteFrom('refused_phrases')
    .where('id', '=', id)
    .returning(COLUMNS)
    .executeTakeFirst();
  return deleted ?? null;
}

/** Fills the list that ships with the program, at the first start only: an operator's edits stay. */
export async function seedRefusedPhrases(trx: Trx): Promise<void> {
  for (const phrase of DEFAULT_REFUSED_PHRASES) await insertRefusedPhrase(trx, phrase);
}
