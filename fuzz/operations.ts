import type { ApiClient } from '../dev/demo/api-client.ts';

/** As much of an OpenAPI document as is read here. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
}

/** An operation with the ids of things that exist, by the parameters of its path. */
export interface OperationIds {
  readonly operationId: string;
  readonly ids: Readonly<Record<string, string>>;
}

const PATH = /^\/v1\/([\w-]+)\/\{id\}/;

/**
 * Every operation on a single thing, with the id of one that the account has: the newest of its collection. What
 * deletes is left out, since the rest would then find nothing.
 */
export async function operationsWithIds(document: OpenApi, client: ApiClient): Promise<OperationIds[]> {
  const found: OperationIds[] = [];
  const known = new Map<string, string | null>();
  for (const [path, operations] of Object.entries(document.paths)) {
    const collection = PATH.exec(path)?.[1];
    if (collection === undefined) continue;
    const id = known.get(collection) ?? (await newestOf(client, collection));
    known.set(collection, id);
    if (id === null) continue;
    const ids = await idsOf(client, path, id);
    if (ids === null) continue;
    for (const [method, { operationId }] of Object.entries(operations)) {
      if (method !== 'delete' && !/^(abort|revoke)/.test(operationId)) found.push({ operationId, ids });
    }
  }
  return found;
}

async function newestOf(client: ApiClient, collection: string): Promise<string | null> {
  try {
    const page = await client.get<{ items: readonly { id: string }[] }>(`/v1/${collection}?pageSize=1`);
    return page.items[0]?.id ?? null;
  } catch {
    // A collection that has no list, or belongs to the operator.
    return null;
  }
}

async function idsOf(client: ApiClient, path: string, id: string): Promise<Record<string, string> | null> {
  const inner = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).filter((name) => name !== 'id');
  if (inner.length === 0) return { id };
  if (inner.join() !== 'messageId') return null;
  const campaign = await client.get<{ messages: readonly { id: string }[] }>(`/v1/campaigns/${id}`);
  const [message] = campaign.messages;
  return message === undefined ? null : { id, messageId: message.id };
}
