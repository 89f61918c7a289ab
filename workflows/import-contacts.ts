import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { ImportActivities } from '../activities/import-contacts.ts';
import type { ImportInput } from './contract.ts';

const { importContacts: importFile } = proxyActivities<ImportActivities>({
  // A file of tens of millions of rows takes hours; a worker that died is noticed by its heartbeats.
  startToCloseTimeout: '24 hours',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** One import of a file, until it is finished or failed: all its work is one transaction of one activity. */
export async function importContacts(input: ImportInput): Promise<void> {
  setCurrentDetails('The file is being imported.');
  const { status, rows } = await importFile.executeWithOptions(
    { summary: `Import the contacts of ${input.importId}` },
    [input],
  );
  setCurrentDetails(
    rows === null
      ? `The import is **${status}**.`
      : `The import is **${status}**: ${rows.imported} of ${rows.read} rows imported, ${rows.merged} merged, ${rows.refused} refused.`,
  );
}
