import { type Static, Type } from 'typebox';
import { lockAccount } from '../../db/accounts.ts';
import { withAccount } from '../../db/database.ts';
import { numberHash } from '../../db/number-hash.ts';
import {
  deleteTestNumber,
  insertTestNumber,
  listTestNumbers,
  type TestNumber,
} from '../../db/test-numbers.ts';
import { NUMBER_ADVICE } from '../../domain/number-advice.ts';
import { parsePhoneNumber } from '../../domain/phone-number.ts';
import { TEST_NUMBERS_MAX } from '../../domain/test-send.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch, ONLY_VERSION } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { logChange } from '../log-change.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { idParams } from '../schemas/common.ts';
import { TestNumberInput, TestNumberOutput } from '../schemas/test-schemas.ts';

/** The few numbers of the account's own people to which messages are sent on trial. */
export function registerTestNumberRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/test-numbers',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'addTestNumber',
        summary: 'Register a test number',
        description: `An account has ${TEST_NUMBERS_MAX} at most.`,
        tags: ['account'],
        body: TestNumberInput,
        response: { 201: TestNumberOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        // The lock makes two who register at once count each other.
        const account = await lockAccount(trx, accountId);
        if (account === null) throw notFound('account');
        const parsed = parsePhoneNumber(request.body.number, account.defaultCountry);
        if (parsed.kind === 'invalid') {
          throw new Problem('not-acceptable-value', 'This is not a number that can be texted.', {
            errors: [{ pointer: '/number', message: NUMBER_ADVICE[parsed.reason] }],
          });
        }
        const known = await listTestNumbers(trx);
        if (known.some((one) => one.number === parsed.number)) {
          throw new Problem('already-exists', 'This number is registered already.', {
            errors: [{ pointer: '/number', message: 'Use it as it is.' }],
          });
        }
        if (known.length >= TEST_NUMBERS_MAX) {
          throw new Problem(
            'not-acceptable-value',
            `An account has ${TEST_NUMBERS_MAX} test numbers at most. Remove one first.`,
          );
        }
        const id = await insertTestNumber(trx, accountId, {
          number: parsed.number,
          numberHash: numberHash(deps.hashKey, parsed.number),
          country: parsed.country,
          name: request.body.name ?? null,
        });
        await logChange(trx, request.caller, { kind: 'test_number', id }, { what: 'create' });
        const added = (await listTestNumbers(trx)).find((one) => one.id === id);
        if (added === undefined) throw notFound('test number');
        return { status: 201, body: viewOf(added) };
      });
      return body;
    },
  );

  api.get(
    '/v1/test-numbers',
    {
      schema: {
        operationId: 'listTestNumbers',
        summary: 'List the test numbers',
        tags: ['account'],
        response: { 200: Type.Object({ items: Type.Array(TestNumberOutput) }), ...problems() },
      },
    },
    async (request) => {
      const numbers = await withAccount(deps.db, request.caller.accountId, listTestNumbers);
      return { items: numbers.map(viewOf) };
    },
  );

  api.delete(
    '/v1/test-numbers/:id',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'removeTestNumber',
        summary: 'Remove a test number',
        description: 'A test to it that has not gone out yet is refused.',
        tags: ['account'],
        params: idParams('tnr'),
        response: { 204: Type.Null(), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await withAccount(deps.db, request.caller.accountId, async (trx) => {
        if (!(await deleteTestNumber(trx, id))) throw notFound('test number');
        checkIfMatch(request, ONLY_VERSION);
        await logChange(trx, request.caller, { kind: 'test_number', id }, { what: 'delete' });
      });
      return reply.code(204).send(null);
    },
  );
}

function viewOf(entry: TestNumber): Static<typeof TestNumberOutput> {
  const { id, number, country, name, createdAt } = entry;
  return { id, number, country, name, createdAt: createdAt.toISOString() };
}
