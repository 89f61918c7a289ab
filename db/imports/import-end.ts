import { sql } from 'kysely';
import type { ImportFault } from '../../domain/import/import-plan.ts';
import { hasManyRefusals } from '../../domain/import/import-alert.ts';
import { raiseAlert } from '../alerts.ts';
import type { Trx } from '../database.ts';
import type { ImportCounts } from '../imports.ts';
import { appendLog } from '../log.ts';

/** An import that has ended. */
export interface EndedImport {
  readonly accountId: string;
  readonly importId: string;
}

const SYSTEM = { id: 'system', via: 'system' } as const;

/**
 * Logs how an import ended with its counts. Many refused rows need somebody, until a later import into all of the
 * same lists goes through without so many.
 */
export async function noteFinish(
  trx: Trx,
  ended: EndedImport & { readonly listIds: readonly string[] },
  counts: ImportCounts,
): Promise<void> {
  const { accountId, importId } = ended;
  await appendLog(trx, {
    accountId,
    subject: { kind: 'import', id: importId },
    what: 'finish',
    to: 'finished',
    actor: SYSTEM,
    detail: { ...counts },
  });
  if (!hasManyRefusals(counts)) return resolveEarlier(trx, accountId, ended.listIds);
  await raiseAlert(trx, {
    accountId,
    kind: 'import_refusals',
    severity: 'warning',
    subject: { kind: 'import', id: importId },
    cause: 'rows_refused',
    reason: `${counts.refused} of ${counts.read} rows were refused.`,
    remedy:
      "Read why in the import's refusals, mend those rows or the mapping of columns, and import them again.",
  });
}

/** An import that could not be read at all has refused everything. */
export async function noteFailure(trx: Trx, ended: EndedImport, fault: ImportFault): Promise<void> {
  const { accountId, importId } = ended;
  await appendLog(trx, {
    accountId,
    subject: { kind: 'import', id: importId },
    what: 'fail',
    to: 'failed',
    actor: SYSTEM,
    detail: { code: fault.code },
  });
  await raiseAlert(trx, {
    accountId,
    kind: 'import_refusals',
    severity: 'warning',
    subject: { kind: 'import', id: importId },
    cause: fault.code,
    reason: 'Nothing of the file was imported.',
    remedy: fault.message,
  });
}

async function resolveEarlier(trx: Trx, accountId: string, listIds: readonly string[]): Promise<void> {
  await trx
    .updateTable('alerts')
    .set((set) => ({ resolved_at: sql<Date>`clock_timestamp()`, version: set('version', '+', 1) }))
    .where('account_id', '=', accountId)
    .where('kind', '=', 'import_refusals')
    .where('resolved_at', 'is', null)
    .where('subject_id', 'in', (select) =>
      select
        .selectFrom('imports')
        .select('id')
        .where(sql<boolean>`list_ids <@ ${[...listIds]}::text[]`),
    )
    .execute();
}
