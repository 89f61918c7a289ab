import { type Static, Type } from 'typebox';
import { findAccount } from '../../db/accounts.ts';
import { findImport, insertImport } from '../../db/imports.ts';
import { appendLog } from '../../db/log.ts';
import type { ColumnMapping } from '../../domain/csv-format.ts';
import { isCountry } from '../../domain/phone-number.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { idempotent } from '../idempotency.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { nullable, oneOf } from '../schemas/common.ts';
import { ImportOutput, importView } from '../views/import-view.ts';
import { REASON } from '../views/suppression-view.ts';

const COLUMN = oneOf(['number', 'kind', 'reason'], {
  description: 'What the column is; null leaves it out.',
});
const SuppressionImportInput = Type.Object(
  {
    kind: Type.Optional(
      oneOf(['opt_out', 'undeliverable', 'manual'], {
        description: 'What rows mean that name no kind; manual unless told.',
      }),
    ),
    reason: Type.Optional(REASON),
    mapping: Type.Optional(
      Type.Record(Type.String(), nullable(COLUMN), {
        maxProperties: 256,
        examples: [{ Mobile: 'number', Why: 'reason' }],
      }),
    ),
    defaultCountry: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$', examples: ['US'] })),
  },
  { additionalProperties: false },
);

/** Imports of numbers that must not be texted, which run as imports of contacts do. */
export function registerSuppressionImportRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/suppressions/imports',
    {
      config: { scope: 'write', forParents: 'reports' },
      schema: {
        operationId: 'createSuppressionImport',
        summary: 'Prepare an import of suppressions',
        description:
          'Answers with an import that waits for its content: send the file to PUT /v1/imports/{id}/content. A column of numbers is needed; columns "kind" and "reason" are taken. What is suppressed already stays as it is, and no row lifts anything.',
        tags: ['suppressions'],
        body: SuppressionImportInput,
        response: { 201: ImportOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId, actor } = request.caller;
      const { kind = 'manual', reason = null, defaultCountry } = request.body;
      const mapping = mappingOf(request.body.mapping);
      if (defaultCountry !== undefined && !isCountry(defaultCountry)) {
        throw new Problem('not-acceptable-value', 'The default country is not known.', {
          errors: [{ pointer: '/defaultCountry', message: 'Give a country as two letters of ISO 3166.' }],
        });
      }
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const account = await findAccount(trx, accountId);
        if (account === null) throw notFound('account');
        const id = await insertImport(trx, {
          accountId,
          suppressions: { kind, reason },
          listIds: [],
          mapping,
          defaultCountry: defaultCountry ?? account.defaultCountry,
          createdBy: actor.id,
        });
        const subject = { kind: 'import', id } as const;
        await appendLog(trx, {
          accountId,
          subject,
          what: 'create',
          to: { subject: 'suppressions', kind },
          actor,
        });
        const found = await findImport(trx, id);
        if (found === null) throw notFound('import');
        return { status: 201, body: importView(found) };
      });
      return body;
    },
  );
}

/** Kind and reason are read as custom fields are, by columns of these names. */
function mappingOf(given: Static<typeof SuppressionImportInput>['mapping']): ColumnMapping | null {
  if (given === undefined) return null;
  const targets = Object.values(given).filter((target) => target !== null);
  if (!targets.includes('number') || new Set(targets).size < targets.length) {
    throw new Problem('not-acceptable-value', 'The mapping is not acceptable.', {
      errors: [{ pointer: '/mapping', message: 'Map one column to number, and no two columns to the same.' }],
    });
  }
  return Object.fromEntries(
    Object.entries(given).map(([header, target]) => [
      header.trim(),
      target === 'kind' || target === 'reason' ? (`custom.${target}` as const) : target,
    ]),
  );
}
