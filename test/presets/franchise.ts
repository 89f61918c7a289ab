import type { ApiWorld, Reply, Tenant } from '../api/api-world.ts';
import { create } from '../api/seeded-things.ts';

/** A pair as the API takes it. */
export interface PairBody {
  readonly accountId: string;
  readonly listId: string;
}

/** An account that may send for its sub-accounts. */
export async function openParent(world: ApiWorld): Promise<Tenant> {
  const parent = await world.openTenant();
  await setCentralSend(world, parent, true);
  return parent;
}

/** Lets an account send for its sub-accounts, or no longer. */
export function setCentralSend(world: ApiWorld, { accountId }: Tenant, enabled: boolean): Promise<Reply> {
  return world.operator('PUT', `/v1/accounts/${accountId}/central-send`, { body: { enabled } });
}

/** A sub-account of the parent's with nothing wrong: an approved sender and a list named Regulars. */
export async function openBranch(world: ApiWorld, parent: Tenant, name: string): Promise<Tenant> {
  const branch = await world.openTenant();
  await branch.call('PATCH', '/v1/account', { body: { name } });
  const body = { parentId: parent.accountId };
  await world.operator('PUT', `/v1/accounts/${branch.accountId}/parent`, { body });
  return branch;
}

/** The branch with its first list. */
export function pairOf({ accountId, listId }: Tenant): PairBody {
  return { accountId, listId };
}

/** A preset of the parent's with these pairs; its path. */
export async function openPreset(
  parent: Tenant,
  name: string,
  pairs: readonly PairBody[] = [],
): Promise<string> {
  const path = `/v1/presets/${await create(parent.call, '/v1/presets', { name })}`;
  if (pairs.length > 0) {
    const reply = await addPairs(parent, path, pairs);
    if (reply.status !== 200) throw new Error(`The pairs were not added: ${JSON.stringify(reply.body)}`);
  }
  return path;
}

/** Adds pairs to the preset at a path. */
export function addPairs(parent: Tenant, path: string, pairs: readonly PairBody[]): Promise<Reply> {
  return parent.call('POST', `${path}/pairs`, { body: { pairs } });
}

/** Status and, of a refusal, its code. */
export function answerOf({ status, body }: Reply): string {
  return status < 400 ? String(status) : `${status} ${String(body['code'])}`;
}
