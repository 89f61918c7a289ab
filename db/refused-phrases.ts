import { DEFAULT_REFUSED_PHRASES } from '../domain/content-check.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';

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

/** Every refused phrase of the installation. */
export async function listRefusedPhrases(trx: Trx): Promise<KeptPhrase[]> {
  return trx.selectFrom('refused_phrases').select(COLUMNS).orderBy('id').execute();
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
