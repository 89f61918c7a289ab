import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import {
  type ApiKey,
  hasOtherKey,
  insertApiKey,
  lockApiKey,
  readApiKey,
  revokeApiKey,
  updateApiKey,
} from '../../db/api-keys.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { appendLog, type LogEntry } from '../../db/log.ts';
import { makeApiKey, type Scope } from '../../db/make-api-key.ts';
import { type Caller, OPERATOR } from '../authentication.ts';
import type { ApiDeps } from '../deps.ts';
import { checkIfMatch } from '../etag.ts';
import { notFound, Problem } from '../problem.ts';
import { type KeyPatch, keyState, type NewKeyOutput, type RotationInput } from '../views/key-view.ts';

const OVERLAP_MS = 24 * 60 * 60_000;

/** Makes a key of the caller's account, with no scope that the caller lacks. */
export async function makeKey(
  deps: ApiDeps,
  caller: Caller,
  input: { readonly name: string; readonly scopes: readonly Scope[]; readonly expiresAt?: string | null },
): Promise<Static<typeof NewKeyOutput>> {
  refuseMoreThan(caller, input.scopes);
  const expiresAt = expiryOf(deps, input.expiresAt) ?? null;
  return withAccount(deps.db, caller.accountId, async (trx) => {
    const given = { accountId: caller.accountId, name: input.name, scopes: input.scopes, expiresAt };
    const made = await addKey(trx, given);
    await log(trx, caller, made.id, { what: 'create', to: { scopes: [...input.scopes], expiresAt } });
    return made;
  });
}

/** Changes a key's name or expiry. */
export async function changeKey(
  deps: ApiDeps,
  request: FastifyRequest<{ Params: { id: string } }>,
  input: Static<typeof KeyPatch>,
): Promise<ApiKey> {
  const expiresAt = expiryOf(deps, input.expiresAt);
  return withAccount(deps.db, request.caller.accountId, async (trx) => {
    const before = await lockForChange(trx, request);
    refuseMoreThan(request.caller, before.scopes);
    await updateApiKey(trx, before.id, {
      ...(input.name === undefined ? {} : { name: input.name }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
    const after = (await readApiKey(trx, before.id)) ?? before;
    await log(trx, request.caller, before.id, {
      what: 'update',
      from: { name: before.name, expiresAt: before.expiresAt },
      to: { name: after.name, expiresAt: after.expiresAt },
    });
    return after;
  });
}

/**
 * Makes a key with the same name and scopes in the place of one; the old one stays valid for the overlap, so that
 * programs can go over one by one. A key has one successor at a time.
 */
export async function rotateKey(
  deps: ApiDeps,
  request: FastifyRequest<{ Params: { id: string } }>,
  input: Static<typeof RotationInput>,
): Promise<Static<typeof NewKeyOutput>> {
  const { caller } = request;
  const now = deps.now();
  const expiresAt = expiryOf(deps, input.expiresAt);
  return withAccount(deps.db, caller.accountId, async (trx) => {
    const old = await lockForChange(trx, request);
    refuseMoreThan(caller, old.scopes);
    const former = await formerSuccessor(trx, old, now);
    const made = await addKey(trx, {
      accountId: caller.accountId,
      name: old.name,
      scopes: old.scopes,
      expiresAt: expiresAt === undefined ? sameLifetime(former ?? old, now) : expiresAt,
    });
    const overlapEnd = now + (input.overlapMs ?? OVERLAP_MS);
    await updateApiKey(trx, old.id, {
      expiresAt: new Date(Math.min(overlapEnd, old.expiresAt?.getTime() ?? overlapEnd)),
      replacedBy: made.id,
    });
    await log(trx, caller, old.id, { what: 'rotate', detail: { successor: made.id } });
    return made;
  });
}

/** Revokes a key at once: no process keeps one in memory. The installation keeps one key that can still be used. */
export async function endKey(
  deps: ApiDeps,
  request: FastifyRequest<{ Params: { id: string } }>,
): Promise<void> {
  const { accountId } = request.caller;
  await withAccount(deps.db, accountId, async (trx) => {
    const isLast =
      accountId === OPERATOR && !(await hasOtherKey(trx, request.params.id, new Date(deps.now())));
    const key = await lockForChange(trx, request);
    if (isLast && keyState(key, deps.now()) === 'active') {
      throw new Problem(
        'last-operator-key',
        'Nobody could run the installation without it. Make another first.',
      );
    }
    if (await revokeApiKey(trx, key.id)) await log(trx, request.caller, key.id, { what: 'revoke' });
  });
}

function log(
  trx: Trx,
  { accountId, actor }: Caller,
  id: string,
  line: Pick<LogEntry, 'what' | 'from' | 'to' | 'detail'>,
): Promise<void> {
  return appendLog(trx, { accountId, subject: { kind: 'key', id }, actor, ...line });
}

async function lockForChange(trx: Trx, request: FastifyRequest<{ Params: { id: string } }>): Promise<ApiKey> {
  const key = await lockApiKey(trx, request.params.id);
  if (key === null) throw notFound('key');
  checkIfMatch(request, key.version);
  return key;
}

async function addKey(
  trx: Trx,
  given: {
    readonly accountId: string;
    readonly name: string;
    readonly scopes: readonly string[];
    readonly expiresAt: Date | null;
  },
): Promise<Static<typeof NewKeyOutput>> {
  const { key, prefix, hash } = makeApiKey();
  return { id: await insertApiKey(trx, { ...given, prefix, hash }), key };
}

/** Refuses what cannot be rotated. Resolves with a successor that has been revoked, since it had the key's own lifetime. */
async function formerSuccessor(trx: Trx, key: ApiKey, now: number): Promise<ApiKey | null> {
  const state = keyState(key, now);
  if (state !== 'active') throw new Problem('key-not-rotatable', `The key is ${state}. Make a new one.`);
  const successor = key.replacedBy === null ? null : await readApiKey(trx, key.replacedBy);
  if (successor !== null && successor.revokedAt === null) {
    throw new Problem(
      'key-not-rotatable',
      `It was rotated already, and ${successor.id} stands in its place. Rotate that one, or revoke it first.`,
    );
  }
  return successor;
}

function sameLifetime(key: ApiKey, now: number): Date | null {
  return key.expiresAt === null
    ? null
    : new Date(now + Math.max(0, key.expiresAt.getTime() - key.createdAt.getTime()));
}

/** The expiry that was asked for; undefined when nothing was said. */
function expiryOf(deps: ApiDeps, text: string | null | undefined): Date | null | undefined {
  if (text === undefined || text === null) return text;
  const at = new Date(text);
  if (at.getTime() > deps.now()) return at;
  throw new Problem('not-acceptable-value', 'The key would have expired already.', {
    errors: [
      { pointer: '/expiresAt', message: 'Give an instant to come, or null for a key without an end.' },
    ],
  });
}

/** Otherwise a key that may only write could make itself one that sends. */
function refuseMoreThan(caller: Caller, scopes: readonly string[]): void {
  const lacking = scopes.find((scope) => !caller.isOperator && !caller.scopes.includes(scope));
  if (lacking === undefined) return;
  throw new Problem('scope-missing', `This key lacks the scope "${lacking}", so it cannot give it away.`, {
    errors: [{ pointer: '/scopes', message: 'Ask for scopes of this key only, or use another key.' }],
  });
}
