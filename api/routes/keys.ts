import { type Static, Type } from 'typebox';
import { type ApiKey, insertApiKey, listApiKeys, revokeApiKey } from '../../db/api-keys.ts';
import { withAccount } from '../../db/database.ts';
import { ACCOUNT_SCOPES, makeApiKey } from '../../db/make-api-key.ts';
import type { Caller } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { idOf, idParams, INSTANT, nullable, oneOf } from '../schemas/common.ts';

const KeyInput = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200, examples: ['Reports job'] }),
    scopes: Type.Array(oneOf(ACCOUNT_SCOPES, { description: 'What the key may do.' }), {
      minItems: 1,
      uniqueItems: true,
    }),
    expiresAt: Type.Optional(nullable(Type.String({ format: 'date-time' }))),
  },
  { additionalProperties: false },
);
const KeyOutput = Type.Object({
  id: idOf('key'),
  name: Type.String(),
  prefix: Type.String(),
  scopes: Type.Array(Type.String()),
  expiresAt: nullable(INSTANT),
  revokedAt: nullable(INSTANT),
  createdAt: INSTANT,
});
const NewKeyOutput = Type.Object({
  id: idOf('key'),
  key: Type.String({ description: 'Shown this once; only its hash is kept.' }),
});

/** Keys of an account. A new key is shown once, so these routes keep no answers for repeated requests. */
export function registerKeyRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/keys',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'createKey',
        summary: 'Make a key',
        description: 'With no scope that the key which makes it lacks.',
        tags: ['account'],
        body: KeyInput,
        response: { 201: NewKeyOutput, ...problems() },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { name, scopes, expiresAt } = request.body;
      refuseMoreThan(request.caller, scopes);
      const { key, prefix, hash } = makeApiKey();
      const id = await withAccount(deps.db, accountId, (trx) =>
        insertApiKey(trx, {
          accountId,
          name,
          prefix,
          hash,
          scopes,
          expiresAt: typeof expiresAt === 'string' ? new Date(expiresAt) : null,
        }),
      );
      reply.code(201);
      return { id, key };
    },
  );

  api.get(
    '/v1/keys',
    {
      schema: {
        operationId: 'listKeys',
        summary: 'List keys',
        tags: ['account'],
        response: { 200: Type.Object({ items: Type.Array(KeyOutput) }), ...problems() },
      },
    },
    async (request) => {
      const keys = await withAccount(deps.db, request.caller.accountId, (trx) => listApiKeys(trx));
      return { items: keys.map(viewOf) };
    },
  );

  api.delete(
    '/v1/keys/:id',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'revokeKey',
        summary: 'Revoke a key at once',
        tags: ['account'],
        params: idParams('key'),
        response: { 204: Type.Null(), ...problems(404) },
      },
    },
    async (request, reply) => {
      const revoked = await withAccount(deps.db, request.caller.accountId, (trx) =>
        revokeApiKey(trx, request.params.id),
      );
      if (!revoked) throw notFound('key');
      return reply.code(204).send(null);
    },
  );
}

/** Otherwise a key that may only write could make itself one that sends. */
function refuseMoreThan(caller: Caller, scopes: readonly string[]): void {
  const lacking = scopes.find((scope) => !caller.isOperator && !caller.scopes.includes(scope));
  if (lacking === undefined) return;
  throw new Problem('scope-missing', `This key lacks the scope "${lacking}", so it cannot give it away.`, {
    errors: [{ pointer: '/scopes', message: 'Ask for scopes of this key only, or use another key.' }],
  });
}

function viewOf(key: ApiKey): Static<typeof KeyOutput> {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    scopes: [...key.scopes],
    expiresAt: key.expiresAt?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
    createdAt: key.createdAt.toISOString(),
  };
}
