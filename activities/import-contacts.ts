import { activityInfo, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ImportCounts } from '../db/imports.ts';
import { type ImportDeps, runImport } from './import/run-import.ts';

const HEARTBEAT_INTERVAL_MS = 5_000;
const BUSY_DELAY_MS = 1_000;

/** How an import ended; counts only. */
export interface ImportOutcome {
  readonly status: 'finished' | 'failed' | 'gone';
  readonly rows: ImportCounts | null;
}

/** The activity that imports a file into an account's contacts. */
export function createImportActivities(deps: ImportDeps) {
  return {
    importContacts: async (input: {
      readonly accountId: string;
      readonly importId: string;
    }): Promise<ImportOutcome> => {
      const context = Context.current();
      let rowsRead = 0;
      const beat = setInterval(() => context.heartbeat(rowsRead), HEARTBEAT_INTERVAL_MS);
      try {
        for (;;) {
          const result = await runImport(deps, {
            ...input,
            signal: context.cancellationSignal,
            onProgress: (rows) => {
              rowsRead = rows;
            },
          });
          if (result.kind === 'gone') return { status: 'gone', rows: null };
          if (result.kind === 'ended') return { status: result.status, rows: result.rows };
          await context.sleep(BUSY_DELAY_MS);
        }
      } catch (error) {
        if (context.cancellationSignal.aborted) throw error;
        // A driver's message can quote a row, and failure messages are kept in histories.
        throw ApplicationFailure.retryable(
          `The import was interrupted in attempt ${activityInfo().attempt}.`,
          'import_interrupted',
        );
      } finally {
        clearInterval(beat);
      }
    },
  };
}

/** The activity as workflows see it. */
export type ImportActivities = ReturnType<typeof createImportActivities>;
