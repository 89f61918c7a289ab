import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import { Type } from 'typebox';
import { findAccount } from '../../db/accounts.ts';
import { type Db, withAccount, withAccountReading } from '../../db/database.ts';
import { type ContactImport, findImport, IMPORT_SORTS, insertImport, listImports } from '../../db/imports.ts';
import { listRefusals, type Refusal } from '../../db/imports/refusals.ts';
import { insertList, missingLists } from '../../db/lists.ts';
import { IMPORT_STATUSES } from '../../domain/import/import-plan.ts';
import { isCountry } from '../../domain/phone-number.ts';
import { type Caller, seesReports } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { emptyContent, keepContent } from '../import-upload.ts';
import { orderIn, severalOf, sortedBy } from '../list-query.ts';
import { logChange } from '../log-change.ts';
import { CursorQuery, cursorPageOf, PageQuery, pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, Problem, problems, unknownReference } from '../problem.ts';
import { idOf, idParams, oneOf } from '../schemas/common.ts';
import {
  ImportOutput,
  importView,
  MappingInput,
  RefusalOutput,
  refusalView,
  toMapping,
} from '../views/import-view.ts';
import { badCursor } from './contacts.ts';
import { LIST_NAME, listNameTaken } from './lists.ts';

const REFUSALS_AT_ONCE = 1_000;
const params = idParams('imp');
const ImportQuery = Type.Object(
  {
    ...PageQuery.properties,
    status: severalOf(oneOf(IMPORT_STATUSES, { description: 'How far it is.' }), {
      maxItems: IMPORT_STATUSES.length,
    }),
    listId: severalOf(idOf('lst'), { maxItems: 100 }),
    createdFrom: Type.Optional(
      Type.String({ format: 'date-time', description: 'Created at this instant or later.' }),
    ),
    createdTo: Type.Optional(
      Type.String({ format: 'date-time', description: 'Created before this instant.' }),
    ),
    ...sortedBy(IMPORT_SORTS, 'desc'),
  },
  { additionalProperties: false },
);
const ImportInput = Type.Object(
  {
    listIds: Type.Optional(Type.Array(idOf('lst'), { maxItems: 100, uniqueItems: true })),
    newListName: Type.Optional(LIST_NAME),
    mapping: Type.Optional(MappingInput),
    defaultCountry: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$', examples: ['US'] })),
  },
  { additionalProperties: false },
);

/** Imports of contacts from delimited text. */
export function registerImportRoutes(api: Api, deps: ApiDeps): void {
  registerCreate(api, deps);
  registerReads(api, deps);
  registerRefusals(api, deps);
  // The content's type says nothing reliable about a file, so every type is taken, and none is read into memory.
  api.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    registerContent(scope, deps);
  });
}

function registerCreate(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/imports',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'createImport',
        summary: 'Prepare an import of contacts',
        description:
          'Answers with an import that waits for its content: send the file to PUT /v1/imports/{id}/content. An import never lifts an opt-out.',
        tags: ['contacts'],
        body: ImportInput,
        response: { 201: ImportOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId, actor } = request.caller;
      const { listIds = [], newListName, mapping, defaultCountry } = request.body;
      const columns = mapping === undefined ? null : toMapping(mapping);
      if (defaultCountry !== undefined && !isCountry(defaultCountry)) {
        throw new Problem('not-acceptable-value', 'The default country is not known.', {
          errors: [{ pointer: '/defaultCountry', message: 'Give a country as two letters of ISO 3166.' }],
        });
      }
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const [missing] = await missingLists(trx, listIds);
        if (missing !== undefined) throw unknownReference(`/listIds/${listIds.indexOf(missing)}`, 'list');
        const account = await findAccount(trx, accountId);
        if (account === null) throw notFound('account');
        const added = newListName === undefined ? null : await insertList(trx, accountId, newListName.trim());
        if (newListName !== undefined && added === null) throw listNameTaken('/newListName');
        if (added !== null) {
          const { id: listId, name } = added;
          await logChange(
            trx,
            request.caller,
            { kind: 'list', id: listId },
            { what: 'create', to: { name } },
          );
        }
        const id = await insertImport(trx, {
          accountId,
          listIds: added === null ? listIds : [...listIds, added.id],
          mapping: columns,
          defaultCountry: defaultCountry ?? account.defaultCountry,
          createdBy: actor.id,
        });
        const found = await findImport(trx, id);
        if (found === null) throw notFound('import');
        const detail = { listIds: found.listIds };
        await logChange(trx, request.caller, { kind: 'import', id }, { what: 'create', detail });
        return { status: 201, body: importView(found) };
      });
      return body;
    },
  );
}

function registerContent(api: Api, deps: ApiDeps): void {
  api.put(
    '/v1/imports/:id/content',
    {
      config: { scope: 'write', takesFile: true, forParents: 'always' },
      schema: {
        operationId: 'putImportContent',
        summary: 'Send the file of an import',
        description:
          'The file itself as the body, of any size and type: delimited text with column names in its first row; encoding and delimiter are found out. If the upload breaks off, send it again.',
        tags: ['contacts'],
        params,
        response: { 202: ImportOutput, ...problems(404, 409, 412, 415) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { id } = request.params;
      const encoding = request.headers['content-encoding'] ?? 'identity';
      if (encoding !== 'identity') {
        throw new Problem('unsupported-media-type', 'Send the file without Content-Encoding.');
      }
      // An upload that begins ends the one before it, so what is plainly empty does not begin.
      if (request.headers['content-length'] === '0') throw emptyContent();
      await readSeen(deps.db, request.caller, id);
      await keepContent(deps.db, request.caller, id, request.raw, (version) =>
        checkIfMatch(request, version),
      );
      // If the engine cannot be reached now, repair starts the run within half a minute.
      deps.workflows.startImport(accountId, id).catch(() => undefined);
      reply.code(202);
      return readView(deps.db, request.caller, id);
    },
  );
}

function registerReads(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/imports',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'listImports',
        summary: 'List imports',
        tags: ['contacts'],
        querystring: ImportQuery,
        response: { 200: pageOf(ImportOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { status, listId, createdFrom, createdTo } = request.query;
      const query = {
        ...(status === undefined ? {} : { statuses: status }),
        ...(listId === undefined ? {} : { listIds: listId }),
        ...(createdFrom === undefined ? {} : { createdFrom: new Date(createdFrom) }),
        ...(createdTo === undefined ? {} : { createdTo: new Date(createdTo) }),
        ...(seesReports(request.caller) ? {} : { subject: 'contacts' as const }),
        ...orderIn(IMPORT_SORTS, 'desc', request.query),
        ...range,
      };
      const { items, total } = await withAccountReading(deps.db, request.caller.accountId, (trx) =>
        listImports(trx, query),
      );
      return toPage(items.map(importView), total, range);
    },
  );

  api.get(
    '/v1/imports/:id',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'getImport',
        summary: 'Read an import: its status, progress and counts',
        tags: ['contacts'],
        params,
        response: { 200: ImportOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const found = await readSeen(deps.db, request.caller, request.params.id);
      setEtag(reply, found.version);
      return importView(found);
    },
  );
}

function registerRefusals(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/imports/:id/refusals',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'listImportRefusals',
        summary: 'List the rows that were refused, in the order of the file',
        tags: ['contacts'],
        params,
        querystring: CursorQuery,
        response: { 200: cursorPageOf(RefusalOutput), ...problems(404) },
      },
    },
    async (request) => {
      const { cursor } = request.query;
      if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) throw badCursor();
      const { limit } = rangeOf(request.query);
      await readSeen(deps.db, request.caller, request.params.id);
      const refusals = await withAccount(deps.db, request.caller.accountId, (trx) =>
        listRefusals(trx, request.params.id, { afterLine: Number(cursor ?? 0), limit }),
      );
      const last = refusals.at(-1);
      return {
        items: refusals.map(refusalView),
        nextCursor: refusals.length === limit && last !== undefined ? String(last.line) : null,
      };
    },
  );

  api.get(
    '/v1/imports/:id/refusals.csv',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'downloadImportRefusals',
        summary: 'Download the rows that were refused as CSV',
        description:
          'UTF-8 with a byte order mark. Cells that a spreadsheet would take for a formula are escaped.',
        tags: ['contacts'],
        params,
        produces: ['text/csv'],
        response: { 200: Type.Unsafe<Readable>({ type: 'string' }), ...problems(404) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { id } = request.params;
      await readSeen(deps.db, request.caller, id);
      reply.type('text/csv; charset=utf-8');
      reply.header('content-disposition', `attachment; filename="${id}-refusals.csv"`);
      return Readable.from(refusalsCsv(deps.db, accountId, id));
    },
  );
}

async function* refusalsCsv(db: Db, accountId: string, importId: string): AsyncGenerator<string> {
  yield `\uFEFF${stringify([['Line', 'Reason', 'Field', 'How to mend it', 'Row']])}`;
  let afterLine = 0;
  for (;;) {
    const query = { afterLine, limit: REFUSALS_AT_ONCE };
    const refusals = await withAccount(db, accountId, (trx) => listRefusals(trx, importId, query));
    const last = refusals.at(-1);
    if (last === undefined) return;
    yield stringify(refusals.map(csvRow), { escape_formulas: true });
    afterLine = last.line;
  }
}

function csvRow(refusal: Refusal): (string | number)[] {
  const { line, reason, field, message, row } = refusalView(refusal);
  return [line, reason, field ?? '', message, row ?? ''];
}

async function readView(db: Db, caller: Caller, importId: string) {
  return importView(await readSeen(db, caller, importId));
}

/** The import, if it is one that the caller may see: one of suppressions tells a parent who has opted out. */
async function readSeen(db: Db, caller: Caller, importId: string): Promise<ContactImport> {
  const found = await withAccount(db, caller.accountId, (trx) => findImport(trx, importId));
  if (found === null || (found.subject === 'suppressions' && !seesReports(caller))) throw notFound('import');
  return found;
}
