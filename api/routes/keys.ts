import { Type } from 'typebox';
import { KEY_SORTS, listApiKeys, readApiKey } from '../../db/api-keys.ts';
import { withAccount, withAccountReading } from '../../db/database.ts';
import type { Scope } from '../../db/make-api-key.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { setEtag } from '../etag.ts';
import { orderIn } from '../list-query.ts';
import { pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, problems } from '../problem.ts';
import { idParams } from '../schemas/common.ts';
import {
  KeyInput,
  KeyOutput,
  KeyPatch,
  KeyQuery,
  keyView,
  NewKeyOutput,
  OperatorKeyInput,
  RotationInput,
} from '../views/key-view.ts';
import { changeKey, endKey, makeKey, rotateKey } from './key-orders.ts';

/** Keys of accounts and those of operators differ in where they stand and what they may do, and in nothing else. */
interface KeyFamily {
  readonly path: '/v1/keys' | '/v1/operator-keys';
  /** What operation ids end with. */
  readonly noun: 'Key' | 'OperatorKey';
  readonly words: string;
  readonly tag: 'account' | 'installation';
  readonly reading: Scope;
  readonly writing: Scope;
}

const ACCOUNT_KEYS: KeyFamily = {
  path: '/v1/keys',
  noun: 'Key',
  words: 'key',
  tag: 'account',
  reading: 'read',
  writing: 'write',
};
const OPERATOR_KEYS: KeyFamily = {
  path: '/v1/operator-keys',
  noun: 'OperatorKey',
  words: "operator's key",
  tag: 'installation',
  reading: 'operator',
  writing: 'operator',
};
const params = idParams('key');

/** Keys. A new key is shown once, so what makes one keeps no answers for repeated requests. */
export function registerKeyRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    ACCOUNT_KEYS.path,
    {
      config: { scope: ACCOUNT_KEYS.writing, keepsNoAnswer: true },
      schema: {
        operationId: 'createKey',
        summary: 'Make a key',
        description: 'With no scope that the key which makes it lacks.',
        tags: [ACCOUNT_KEYS.tag],
        body: KeyInput,
        response: { 201: NewKeyOutput, ...problems(422) },
      },
    },
    async (request, reply) => {
      const made = await makeKey(deps, request.caller, request.body);
      reply.code(201);
      return made;
    },
  );
  api.post(
    OPERATOR_KEYS.path,
    {
      config: { scope: OPERATOR_KEYS.writing, keepsNoAnswer: true },
      schema: {
        operationId: 'createOperatorKey',
        summary: "Make an operator's key",
        description: 'It may do everything, for any account.',
        tags: [OPERATOR_KEYS.tag],
        body: OperatorKeyInput,
        response: { 201: NewKeyOutput, ...problems(422) },
      },
    },
    async (request, reply) => {
      const made = await makeKey(deps, request.caller, { ...request.body, scopes: ['operator'] });
      reply.code(201);
      return made;
    },
  );
  for (const family of [ACCOUNT_KEYS, OPERATOR_KEYS]) {
    registerReads(api, deps, family);
    registerChanges(api, deps, family);
  }
}

function registerReads(api: Api, deps: ApiDeps, { path, noun, words, tag, reading }: KeyFamily): void {
  api.get(
    path,
    {
      config: { scope: reading },
      schema: {
        operationId: `list${noun}s`,
        summary: `List ${words}s`,
        tags: [tag],
        querystring: KeyQuery,
        response: { 200: pageOf(KeyOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { q, state, scope } = request.query;
      const now = deps.now();
      const query = {
        ...(q === undefined ? {} : { q }),
        ...(state === undefined ? {} : { states: state }),
        ...(scope === undefined ? {} : { scopes: scope }),
        at: new Date(now),
        ...orderIn(KEY_SORTS, 'desc', request.query),
        ...range,
      };
      const { items, total } = await withAccountReading(deps.db, request.caller.accountId, (trx) =>
        listApiKeys(trx, query),
      );
      return toPage(
        items.map((key) => keyView(key, now)),
        total,
        range,
      );
    },
  );

  api.get(
    `${path}/:id`,
    {
      config: { scope: reading },
      schema: {
        operationId: `get${noun}`,
        summary: `Read what is known of the ${words}`,
        tags: [tag],
        params,
        response: { 200: KeyOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const key = await withAccount(deps.db, request.caller.accountId, (trx) =>
        readApiKey(trx, request.params.id),
      );
      if (key === null) throw notFound('key');
      setEtag(reply, key.version);
      return keyView(key, deps.now());
    },
  );
}

function registerChanges(api: Api, deps: ApiDeps, { path, noun, words, tag, writing }: KeyFamily): void {
  api.patch(
    `${path}/:id`,
    {
      config: { scope: writing },
      schema: {
        operationId: `update${noun}`,
        summary: `Rename the ${words}, or let it expire`,
        tags: [tag],
        params,
        body: KeyPatch,
        response: { 200: KeyOutput, ...problems(404, 412, 422) },
      },
    },
    async (request, reply) => {
      const key = await changeKey(deps, request, request.body);
      setEtag(reply, key.version);
      return keyView(key, deps.now());
    },
  );

  api.post(
    `${path}/:id/rotate`,
    {
      config: { scope: writing, keepsNoAnswer: true },
      preValidation: async (request) => {
        // It may be rotated without a word on how.
        request.body ??= {};
      },
      schema: {
        operationId: `rotate${noun}`,
        summary: `Put a new key in the place of the ${words}`,
        description:
          'With the same name and scopes. Both are valid for the overlap; then the old one has expired. The new one lives as long as the old one was to, unless told.',
        tags: [tag],
        params,
        body: RotationInput,
        response: { 201: NewKeyOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const made = await rotateKey(deps, request, request.body);
      reply.code(201);
      return made;
    },
  );

  api.delete(
    `${path}/:id`,
    {
      config: { scope: writing },
      schema: {
        operationId: `revoke${noun}`,
        summary: `Revoke the ${words} at once, in every process`,
        tags: [tag],
        params,
        response: { 204: Type.Null(), ...problems(404, 409, 412) },
      },
    },
    async (request, reply) => {
      await endKey(deps, request);
      return reply.code(204).send(null);
    },
  );
}
