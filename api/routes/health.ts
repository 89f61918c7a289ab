import { sql } from 'kysely';
import { Type } from 'typebox';
import { schemaState } from '../../db/migrate.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { Problem, ProblemOutput } from '../problem.ts';

const Part = Type.Union([Type.Literal('ok'), Type.Literal('degraded')]);

/** Whether this process lives, and whether it can do its work. */
export function registerHealthRoutes(api: Api, deps: ApiDeps): void {
  api.get(
    '/health',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'health',
        summary: 'Whether this process lives',
        tags: ['health'],
        security: [],
        response: { 200: Type.Object({ status: Type.Literal('ok') }) },
      },
    },
    () => ({ status: 'ok' as const }),
  );

  api.get(
    '/ready',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'ready',
        summary: 'Whether it can work',
        description:
          'Fails when the database or its schema is missing. Temporal and a carrier that asks for a pause are shown as degraded: orders are kept and carried out later.',
        tags: ['health'],
        security: [],
        response: {
          200: Type.Object({ database: Part, schema: Type.String(), temporal: Part, carrier: Part }),
          503: ProblemOutput,
        },
      },
    },
    async () => {
      const schema = await schemaState(deps.db).catch(() => null);
      if (schema === null)
        throw new Problem('not-ready', 'The database does not answer or has no schema yet.', {
          retryAfterS: 5,
        });
      if (schema.missing.length > 0) {
        throw new Problem(
          'not-ready',
          `The schema lacks ${schema.missing.join(', ')}. Run \`npm run migrate\`.`,
          { retryAfterS: 5 },
        );
      }
      const temporal = (await deps.workflows.isReachable()) ? ('ok' as const) : ('degraded' as const);
      const carrier = (await carrierIsSlowed(deps)) ? ('degraded' as const) : ('ok' as const);
      return { database: 'ok' as const, schema: schema.newest, temporal, carrier };
    },
  );
}

/** A carrier that has answered 429 is left alone for a while. */
async function carrierIsSlowed(deps: ApiDeps): Promise<boolean> {
  const slowed = await deps.db
    .selectFrom('carrier_accounts')
    .where('paused_until', '>', sql<Date>`clock_timestamp()`)
    .select('id')
    .executeTakeFirst();
  return slowed !== undefined;
}
