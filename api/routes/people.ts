import { type Static, Type } from 'typebox';
import { withAccount, withAccountReading } from '../../db/database.ts';
import {
  findPerson,
  insertPerson,
  listPeople,
  lockPerson,
  PERSON_SORTS,
  type Person,
  updatePerson,
} from '../../db/people.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { logChange, logUpdate } from '../log-change.ts';
import { orderIn, Q, sortedBy } from '../list-query.ts';
import { PageQuery, pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, problems } from '../problem.ts';
import { idOf, idParams, INSTANT } from '../schemas/common.ts';

const fields = {
  name: Type.String({ minLength: 1, maxLength: 200, examples: ['Alex Rivera'] }),
  address: Type.String({
    minLength: 3,
    maxLength: 320,
    pattern: '^[^@\\s]+@[^@\\s]+$',
    description: 'An e-mail address.',
    examples: ['alex@example.com'],
  }),
};
const PersonInput = Type.Object(fields, { additionalProperties: false });
const PersonChanges = Type.Partial(Type.Object({ ...fields, disabled: Type.Boolean() }), {
  additionalProperties: false,
});
const PersonQuery = Type.Object(
  {
    ...PageQuery.properties,
    q: Q,
    disabled: Type.Optional(Type.Boolean()),
    ...sortedBy(PERSON_SORTS, 'asc'),
  },
  { additionalProperties: false },
);
const PersonOutput = Type.Object({
  id: idOf('per'),
  ...fields,
  disabled: Type.Boolean(),
  createdAt: INSTANT,
});

/** What the log names without its values. */
const NAMES = ['name', 'address'];

/** People who work for an account; what they did keeps their name. */
export function registerPeopleRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/people',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'createPerson',
        summary: 'Add a person',
        tags: ['account'],
        body: PersonInput,
        response: { 201: PersonOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const id = await insertPerson(trx, { accountId, ...request.body });
        const person = await findPerson(trx, id);
        if (person === null) throw notFound('person');
        await logChange(trx, request.caller, { kind: 'person', id }, { what: 'create' });
        return { status: 201, body: viewOf(person) };
      });
      return body;
    },
  );

  api.get(
    '/v1/people',
    {
      schema: {
        operationId: 'listPeople',
        summary: 'List people',
        tags: ['account'],
        querystring: PersonQuery,
        response: { 200: pageOf(PersonOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { q, disabled } = request.query;
      const query = {
        ...(q === undefined ? {} : { q }),
        ...(disabled === undefined ? {} : { disabled }),
        ...orderIn(PERSON_SORTS, 'asc', request.query),
        ...range,
      };
      const { items, total } = await withAccountReading(deps.db, request.caller.accountId, (trx) =>
        listPeople(trx, query),
      );
      return toPage(items.map(viewOf), total, range);
    },
  );

  api.get(
    '/v1/people/:id',
    {
      schema: {
        operationId: 'getPerson',
        summary: 'Read a person',
        tags: ['account'],
        params: idParams('per'),
        response: { 200: PersonOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const person = await withAccount(deps.db, request.caller.accountId, (trx) =>
        findPerson(trx, request.params.id),
      );
      if (person === null) throw notFound('person');
      setEtag(reply, person.version);
      return viewOf(person);
    },
  );

  api.patch(
    '/v1/people/:id',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'updatePerson',
        summary: 'Edit or disable a person',
        tags: ['account'],
        params: idParams('per'),
        body: PersonChanges,
        response: { 200: PersonOutput, ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const { disabled, ...changes } = request.body;
      const person = await withAccount(deps.db, request.caller.accountId, async (trx) => {
        const before = await lockPerson(trx, request.params.id);
        if (before === null) throw notFound('person');
        checkIfMatch(request, before.version);
        const disabledAt =
          disabled === undefined ? {} : { disabledAt: disabled ? new Date(deps.now()) : null };
        await updatePerson(trx, before.id, { ...changes, ...disabledAt });
        const after = (await findPerson(trx, before.id)) ?? before;
        const states = { before: viewOf(before), after: viewOf(after) };
        await logUpdate(trx, request.caller, { kind: 'person', id: before.id }, states, { kept: NAMES });
        return after;
      });
      setEtag(reply, person.version);
      return viewOf(person);
    },
  );
}

function viewOf(person: Person): Static<typeof PersonOutput> {
  return {
    id: person.id,
    name: person.name,
    address: person.address,
    disabled: person.disabledAt !== null,
    createdAt: person.createdAt.toISOString(),
  };
}
