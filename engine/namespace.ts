import Long from 'long';
import type { Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../workflows/contract.ts';

/** Numbers of `temporal.api.enums.v1.IndexedValueType`; its package has no named exports under ESM. */
const TYPES = { KEYWORD: 2, DATETIME: 6 } as const;
const RETENTION_SECONDS = 30 * 24 * 60 * 60;
const GRPC_ALREADY_EXISTS = 6;
const CONFIRM_TRIES_MAX = 100;
const CONFIRM_DELAY_MS = 100;

/**
 * Makes sure of the namespace and of our search attributes, and waits until they are listed: a workflow
 * that uses one too early fails its first task over and over.
 */
export async function registerNamespace(client: Client, namespace: string): Promise<void> {
  const { workflowService, connection } = client;
  await workflowService
    .registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: Long.fromNumber(RETENTION_SECONDS) },
    })
    .catch(ignoreExisting);
  for (let tries = 0; tries < CONFIRM_TRIES_MAX; tries += 1) {
    const missing = await missingAttributes(client, namespace).catch(() => Object.keys(SEARCH_ATTRIBUTES));
    if (missing.length === 0) return;
    await connection.operatorService
      .addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(
          Object.entries(SEARCH_ATTRIBUTES)
            .filter(([name]) => missing.includes(name))
            .map(([name, type]) => [name, TYPES[type]]),
        ),
      })
      .catch(ignoreExisting);
    await new Promise((resolve) => {
      setTimeout(resolve, CONFIRM_DELAY_MS);
    });
  }
  throw new Error(
    'The search attributes could not be registered; look at the permissions of this Temporal namespace.',
  );
}

async function missingAttributes(client: Client, namespace: string): Promise<string[]> {
  const listed = await client.connection.operatorService.listSearchAttributes({ namespace });
  return Object.keys(SEARCH_ATTRIBUTES).filter((name) => listed.customAttributes[name] === undefined);
}

function ignoreExisting(error: unknown): void {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  if (code !== GRPC_ALREADY_EXISTS) throw error;
}
