import { Type } from 'typebox';
import { listCallbackRefusals, REFUSAL_SORTS } from '../../db/callback-refusals.ts';
import { withAccountReading } from '../../db/database.ts';
import { CALLBACK_KINDS, CALLBACK_REFUSALS } from '../../domain/refused-callback.ts';
import { OPERATOR } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { orderIn, severalOf, sortedBy } from '../list-query.ts';
import { PageQuery, pageOf, rangeOf, toPage } from '../pages.ts';
import { problems } from '../problem.ts';
import { INSTANT, oneOf } from '../schemas/common.ts';

const Day = (description: string) => Type.String({ format: 'date', description, examples: ['2027-01-14'] });
const Kind = oneOf(CALLBACK_KINDS, {
  description: 'A status report on a text of ours, or a text that somebody sent.',
});
const Reason = oneOf(CALLBACK_REFUSALS, {
  description:
    '`path`: we have not made it. `signature`: the carrier has not signed it, or not as it arrived. `form`: it cannot be read. `mismatch`: its number or uuid does not belong to its post. `repeated`: it was taken before and changed nothing, whether the carrier says it again or somebody replays it; it was answered with 200, the others with an error.',
});
const RefusalQuery = Type.Object(
  {
    ...PageQuery.properties,
    kind: severalOf(Kind, { maxItems: CALLBACK_KINDS.length }),
    reason: severalOf(Reason, { maxItems: CALLBACK_REFUSALS.length }),
    from: Type.Optional(Day('From this day in UTC.')),
    to: Type.Optional(Day('Up to this day in UTC, itself included.')),
    ...sortedBy(REFUSAL_SORTS, 'desc'),
  },
  { additionalProperties: false },
);
const RefusalOutput = Type.Object({
  day: Type.String({ description: 'A day in UTC.', examples: ['2027-01-14'] }),
  kind: Kind,
  reason: Reason,
  count: Type.Integer({ minimum: 1 }),
  lastAt: INSTANT,
});

/** What an operator sees of callbacks that had no effect. */
export function registerCallbackRefusalRoute(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/callback-refusals',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'listCallbackRefusals',
        summary: 'Callbacks that had no effect, counted',
        description:
          'By day, kind and reason, the latest first; kept for 400 days. A second may pass until one is counted. When many are refused there is an alert of the installation, too.',
        tags: ['installation'],
        querystring: RefusalQuery,
        response: { 200: pageOf(RefusalOutput), ...problems() },
      },
    },
    async (request) => {
      const { kind = [], reason = [], from, to } = request.query;
      const range = rangeOf(request.query);
      const { items, total } = await withAccountReading(deps.db, OPERATOR, (trx) =>
        listCallbackRefusals(trx, {
          kinds: kind,
          reasons: reason,
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
          ...orderIn(REFUSAL_SORTS, 'desc', request.query),
          ...range,
        }),
      );
      return toPage(
        items.map(({ lastAt, ...row }) => ({ ...row, lastAt: lastAt.toISOString() })),
        total,
        range,
      );
    },
  );
}
