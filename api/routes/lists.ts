import { liveCampaignIds } from '../../db/accounts.ts';
import { type Static, Type } from 'typebox';
import { withAccount, withAccountReading } from '../../db/database.ts';
import { isListImportedInto } from '../../db/imports.ts';
import {
  addMembers,
  type ContactList,
  deleteList,
  findList,
  insertList,
  LIST_SORTS,
  listLists,
  lockList,
  removeMember,
  renameList,
} from '../../db/lists.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { brokenUniqueRule } from '../errors.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { logChange, logUpdate } from '../log-change.ts';
import { orderIn, Q, sortedBy } from '../list-query.ts';
import { PageQuery, pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { idOf, idParams, INSTANT } from '../schemas/common.ts';
import { wakeCampaigns } from '../wake-campaigns.ts';

const MEMBERS_MAX = 1_000;

/** The name of a list. */
export const LIST_NAME = Type.String({
  pattern: '\\S',
  maxLength: 200,
  description: 'Unique in the account without regard to case; blanks around it are removed.',
  examples: ['Regulars'],
});
const ListInput = Type.Object({ name: LIST_NAME }, { additionalProperties: false });
const MembersInput = Type.Object(
  { contactIds: Type.Array(idOf('con'), { minItems: 1, maxItems: MEMBERS_MAX, uniqueItems: true }) },
  { additionalProperties: false },
);
const ListOutput = Type.Object({
  id: idOf('lst'),
  name: Type.String(),
  contacts: Type.Integer({ description: 'How many are on it.' }),
  createdAt: INSTANT,
});
const ListQuery = Type.Object(
  { ...PageQuery.properties, q: Q, ...sortedBy(LIST_SORTS, 'asc') },
  { additionalProperties: false },
);
const params = idParams('lst');

/** Lists of contacts. */
export function registerListRoutes(api: Api, deps: ApiDeps): void {
  registerReads(api, deps);
  registerMembers(api, deps);

  api.post(
    '/v1/lists',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'createList',
        summary: 'Create a list',
        tags: ['contacts'],
        body: ListInput,
        response: { 201: ListOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const list = await insertList(trx, request.caller.accountId, request.body.name.trim());
        if (list === null) throw listNameTaken('/name');
        await logChange(
          trx,
          request.caller,
          { kind: 'list', id: list.id },
          { what: 'create', to: { name: list.name } },
        );
        return { status: 201, body: viewOf(list) };
      });
      return body;
    },
  );

  api.patch(
    '/v1/lists/:id',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'updateList',
        summary: 'Rename a list',
        tags: ['contacts'],
        params,
        body: ListInput,
        response: { 200: ListOutput, ...problems(404, 409, 412) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const list = await withAccount(deps.db, request.caller.accountId, async (trx) => {
        const before = await lockList(trx, id);
        if (before === null) throw notFound('list');
        checkIfMatch(request, before.version);
        await renameList(trx, id, request.body.name.trim());
        const after = await findList(trx, id);
        if (after === null) throw notFound('list');
        const states = { before: { name: before.name }, after: { name: after.name } };
        await logUpdate(trx, request.caller, { kind: 'list', id }, states);
        return after;
      }).catch((error: unknown) => {
        throw brokenUniqueRule(error) === null ? error : listNameTaken('/name');
      });
      setEtag(reply, list.version);
      return viewOf(list);
    },
  );

  api.delete(
    '/v1/lists/:id',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'deleteList',
        summary: 'Delete a list',
        description:
          'Its contacts stay. A campaign that has yet to freeze its audience from it is suspended.',
        tags: ['contacts'],
        params,
        response: { 204: Type.Null(), ...problems(404, 409, 412) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { accountId } = request.caller;
      const live = await withAccount(deps.db, accountId, async (trx) => {
        if (await isListImportedInto(trx, id)) {
          throw new Problem('in-use', 'An import fills this list. Delete it once the import has ended.');
        }
        const list = await lockList(trx, id);
        if (list === null) throw notFound('list');
        checkIfMatch(request, list.version);
        await deleteList(trx, id);
        await logChange(
          trx,
          request.caller,
          { kind: 'list', id },
          { what: 'delete', from: { name: list.name } },
        );
        return liveCampaignIds(trx);
      });
      wakeCampaigns(deps, accountId, live);
      reply.code(204);
      return null;
    },
  );
}

function registerReads(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/lists',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'listLists',
        summary: 'List the lists',
        tags: ['contacts'],
        querystring: ListQuery,
        response: { 200: pageOf(ListOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { q } = request.query;
      const query = {
        ...(q === undefined ? {} : { q }),
        ...orderIn(LIST_SORTS, 'asc', request.query),
        ...range,
      };
      const { items, total } = await withAccountReading(deps.db, request.caller.accountId, (trx) =>
        listLists(trx, query),
      );
      return toPage(items.map(viewOf), total, range);
    },
  );

  api.get(
    '/v1/lists/:id',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'getList',
        summary: 'Read a list',
        tags: ['contacts'],
        params,
        response: { 200: ListOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const list = await withAccount(deps.db, request.caller.accountId, (trx) =>
        findList(trx, request.params.id),
      );
      if (list === null) throw notFound('list');
      setEtag(reply, list.version);
      return viewOf(list);
    },
  );
}

function registerMembers(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/lists/:id/members',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'addListMembers',
        summary: 'Put contacts on a list',
        description: 'Who is on it already stays. The contacts of a list are GET /v1/contacts?listId=....',
        tags: ['contacts'],
        params,
        body: MembersInput,
        response: { 200: ListOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { contactIds } = request.body;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const before = await lockList(trx, request.params.id);
        if (before === null) throw notFound('list');
        checkIfMatch(request, before.version);
        const missing = new Set(await addMembers(trx, accountId, request.params.id, contactIds));
        if (missing.size > 0) {
          const errors = contactIds.flatMap((id, index) =>
            missing.has(id)
              ? [{ pointer: `/contactIds/${index}`, message: 'Name a contact of this account.' }]
              : [],
          );
          throw new Problem('unknown-reference', 'Some contacts do not exist; nobody was put on the list.', {
            errors,
          });
        }
        const list = await findList(trx, request.params.id);
        if (list === null) throw notFound('list');
        await logChange(
          trx,
          request.caller,
          { kind: 'list', id: list.id },
          { what: 'add_members', detail: { contacts: contactIds.length } },
        );
        return { status: 200, body: viewOf(list) };
      });
      return body;
    },
  );

  api.delete(
    '/v1/lists/:id/members/:contactId',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'removeListMember',
        summary: 'Take a contact off a list',
        tags: ['contacts'],
        params: Type.Object({ id: idOf('lst'), contactId: idOf('con') }),
        response: { 204: Type.Null(), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const { id, contactId } = request.params;
      await withAccount(deps.db, request.caller.accountId, async (trx) => {
        const list = await lockList(trx, id);
        if (list === null) throw notFound('member of this list');
        checkIfMatch(request, list.version);
        if (!(await removeMember(trx, id, contactId))) throw notFound('member of this list');
        await logChange(
          trx,
          request.caller,
          { kind: 'list', id },
          { what: 'remove_member', detail: { contactId } },
        );
      });
      reply.code(204);
      return null;
    },
  );
}

/** Another list has this name. */
export function listNameTaken(pointer: string): Problem {
  return new Problem('name-taken', 'A list of this account has this name. Choose another.', {
    errors: [{ pointer, message: 'Another list has this name, whatever its case.' }],
  });
}

function viewOf(list: ContactList): Static<typeof ListOutput> {
  const { id, name, contacts, createdAt } = list;
  return { id, name, contacts, createdAt: createdAt.toISOString() };
}
