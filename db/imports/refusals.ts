import type { Trx } from '../database.ts';

/** A row of a file that was not imported, and why. */
export interface Refusal {
  readonly line: number;
  readonly reason: string;
  readonly field: string | null;
  readonly raw: string | null;
}

/** The refusals of an import after a line, in the order of the file. */
export async function listRefusals(
  trx: Trx,
  importId: string,
  query: { readonly afterLine: number; readonly limit: number },
): Promise<Refusal[]> {
  return trx
    .selectFrom('import_refusals')
    .where('import_id', '=', importId)
    .where('line', '>', query.afterLine)
    .select(['line', 'reason', 'field', 'raw'])
    .orderBy('line')
    .limit(query.limit)
    .execute();
}
