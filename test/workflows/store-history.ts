import { access, writeFile } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { History } from './workflow-world.ts';

/** Stores a shape once: a history that is there already is a promise to campaigns that sleep. */
export async function storeHistory(name: string, history: History): Promise<void> {
  const file = new URL(`../histories/${name}.json`, import.meta.url);
  const isStored = await access(file).then(
    () => true,
    () => false,
  );
  if (isStored) return;
  const json: unknown = JSON.parse(historyToJSON(history));
  await writeFile(file, `${JSON.stringify(json, null, 1)}\n`);
}
