import { Type } from 'typebox';
import { findAccount } from '../../db/accounts.ts';
import {
  type Contact,
  contactKey,
  deleteContact,
  findContact,
  findContactByNumber,
  insertContact,
  listContacts,
  lockContact,
  updateContact,
} from '../../db/contacts.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { missingLists } from '../../db/lists.ts';
import { parsePhoneNumber } from '../../domain/phone-number.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { brokenUniqueRule } from '../errors.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { Q, severalOf } from '../list-query.ts';
import { logChange, logUpdate } from '../log-change.ts';
import { CursorQuery, cursorPageOf, rangeOf } from '../pages.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { idOf, idParams } from '../schemas/common.ts';
import {
  ContactInput,
  ContactOutput,
  ContactPatch,
  ContactSearch,
  contactView,
  numberError,
  toContactChanges,
} from '../views/contact-view.ts';

const params = idParams('con');
const FILTER_VALUES_MAX = 100;
const several = { maxItems: FILTER_VALUES_MAX };
const ContactQuery = Type.Object(
  {
    ...CursorQuery.properties,
    q: Q,
    listId: severalOf(idOf('lst'), several),
    country: severalOf(Type.String({ pattern: '^[A-Z]{2}$', examples: ['US'] }), several),
    timeZone: severalOf(Type.String({ maxLength: 64, examples: ['America/New_York'] }), several),
  },
  { additionalProperties: false },
);

/** Contacts: people with a number, unique in the account. */
export function registerContactRoutes(api: Api, deps: ApiDeps): void {
  registerReads(api, deps);

  api.post(
    '/v1/contacts',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'createContact',
        summary: 'Create a contact',
        tags: ['contacts'],
        body: ContactInput,
        response: { 201: ContactOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const changes = toContactChanges(request.body, await contextOf(trx, deps, accountId));
        const { number } = changes;
        const contact = number && (await insertContact(trx, accountId, { ...changes, number }));
        if (contact === undefined || contact === null) throw numberTaken();
        await logChange(trx, request.caller, { kind: 'contact', id: contact.id }, { what: 'create' });
        return { status: 201, body: contactView(contact) };
      });
      return body;
    },
  );

  api.patch(
    '/v1/contacts/:id',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'updateContact',
        summary: 'Change a contact',
        description: 'Campaigns read merge fields when they text, so a change counts for running ones, too.',
        tags: ['contacts'],
        params,
        body: ContactPatch,
        response: { 200: ContactOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { id } = request.params;
      const contact = await withAccount(deps.db, accountId, async (trx) => {
        const before = await lockContact(trx, id);
        if (before === null) throw notFound('contact');
        checkIfMatch(request, before.version);
        const changes = toContactChanges(request.body, await contextOf(trx, deps, accountId));
        const after = await updateContact(trx, id, changes);
        if (after === null) throw notFound('contact');
        const states = { before: fieldsOf(before), after: fieldsOf(after) };
        await logUpdate(trx, request.caller, { kind: 'contact', id }, states, {
          kept: Object.keys(states.after),
        });
        return after;
      }).catch((error: unknown) => {
        throw brokenUniqueRule(error) === null ? error : numberTaken();
      });
      setEtag(reply, contact.version);
      return contactView(contact);
    },
  );

  api.delete(
    '/v1/contacts/:id',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'deleteContact',
        summary: 'Delete a contact',
        description:
          'It leaves every list, and running campaigns leave it out. An opt-out of its number stays.',
        tags: ['contacts'],
        params,
        response: { 204: Type.Null(), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      await withAccount(deps.db, request.caller.accountId, async (trx) => {
        const contact = await lockContact(trx, request.params.id);
        if (contact === null) throw notFound('contact');
        checkIfMatch(request, contact.version);
        await deleteContact(trx, contact.id);
        await logChange(trx, request.caller, { kind: 'contact', id: contact.id }, { what: 'delete' });
      });
      reply.code(204);
      return null;
    },
  );
}

function registerReads(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/contacts',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'listContacts',
        summary: 'List contacts',
        tags: ['contacts'],
        querystring: ContactQuery,
        response: { 200: cursorPageOf(ContactOutput), ...problems(404) },
      },
    },
    async (request) => {
      const { cursor, q, listId = [], country, timeZone } = request.query;
      const { limit } = rangeOf(request.query);
      const afterKey = cursor === undefined ? 0 : contactKey(cursor);
      if (afterKey === null) throw badCursor();
      const contacts = await withAccount(deps.db, request.caller.accountId, async (trx) => {
        if ((await missingLists(trx, listId)).length > 0) throw notFound('list');
        return listContacts(trx, {
          afterKey,
          limit,
          ...(q === undefined ? {} : { q }),
          ...(listId.length === 0 ? {} : { listIds: listId }),
          ...(country === undefined ? {} : { countries: country }),
          ...(timeZone === undefined ? {} : { timeZones: timeZone }),
        });
      });
      return {
        items: contacts.map(contactView),
        nextCursor: contacts.length === limit ? (contacts.at(-1)?.id ?? null) : null,
      };
    },
  );

  api.get(
    '/v1/contacts/:id',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'getContact',
        summary: 'Read a contact',
        tags: ['contacts'],
        params,
        response: { 200: ContactOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const contact = await withAccount(deps.db, request.caller.accountId, (trx) =>
        findContact(trx, request.params.id),
      );
      if (contact === null) throw notFound('contact');
      setEtag(reply, contact.version);
      return contactView(contact);
    },
  );

  api.post(
    '/v1/contacts/find',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'findContact',
        summary: 'Find the contact with a number',
        tags: ['contacts'],
        body: ContactSearch,
        response: { 200: ContactOutput, ...problems(404, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const contact = await withAccount(deps.db, accountId, async (trx) => {
        const { defaultCountry } = await contextOf(trx, deps, accountId);
        const parsed = parsePhoneNumber(request.body.number, defaultCountry);
        if (parsed.kind === 'invalid') {
          throw new Problem('not-acceptable-value', 'This is not a number that can be texted.', {
            errors: [numberError(parsed.reason)],
          });
        }
        return findContactByNumber(trx, accountId, parsed.number);
      });
      if (contact === null) throw notFound('contact');
      setEtag(reply, contact.version);
      return contactView(contact);
    },
  );
}

/** What the log says of a contact: which fields changed, and never what they hold. */
function fieldsOf(contact: Contact): Record<string, unknown> {
  const { id: _id, createdAt: _createdAt, updatedAt: _updatedAt, ...fields } = contactView(contact);
  return fields;
}

/** What numbers are read and hashed with. */
async function contextOf(
  trx: Trx,
  deps: ApiDeps,
  accountId: string,
): Promise<{ hashKey: Buffer; defaultCountry: string }> {
  const account = await findAccount(trx, accountId);
  if (account === null) throw notFound('account');
  return { hashKey: deps.hashKey, defaultCountry: account.defaultCountry };
}

/** The cursor of a list that this API has not made. */
export function badCursor(pointer = '/query/cursor'): Problem {
  return new Problem('invalid-field', 'The cursor is not one of this list.', {
    errors: [{ pointer, message: 'Send the nextCursor of the answer before, or none.' }],
  });
}

function numberTaken(): Problem {
  return new Problem(
    'already-exists',
    'A contact of this account has this number. Change that one instead.',
    {
      errors: [{ pointer: '/number', message: 'Another contact has this number.' }],
    },
  );
}
