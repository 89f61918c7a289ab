import { type Static, Type } from 'typebox';
import { withAccount, withAccountReading } from '../../db/database.ts';
import {
  deleteRefusedPhrase,
  findRefusedPhrase,
  insertRefusedPhrase,
  listRefusedPhrases,
  PHRASE_SORTS,
} from '../../db/refused-phrases.ts';
import { hasWords } from '../../domain/content-check.ts';
import { OPERATOR } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { orderIn, Q, sortedBy } from '../list-query.ts';
import { logChange } from '../log-change.ts';
import { PageQuery, pageOf, rangeOf, toPage } from '../pages.ts';
import { type FieldError, notFound, Problem, problems } from '../problem.ts';
import { idOf, idParams, nullable } from '../schemas/common.ts';

const Day = Type.String({ format: 'date', description: 'A day in UTC.', examples: ['2026-01-01'] });
const PhraseInput = Type.Object(
  {
    phrase: Type.String({ minLength: 1, maxLength: 200, examples: ['guaranteed approval'] }),
    reason: Type.String({ minLength: 1, maxLength: 500, description: "Said to the campaign's owner." }),
    effectiveFrom: Day,
    effectiveTo: Type.Optional(nullable(Day)),
  },
  { additionalProperties: false },
);
const PhraseOutput = Type.Object({
  id: idOf('phr'),
  phrase: Type.String(),
  reason: Type.String(),
  effectiveFrom: Type.String(),
  effectiveTo: nullable(Type.String()),
});

const PhraseQuery = Type.Object(
  {
    ...PageQuery.properties,
    q: Q,
    effectiveOn: Type.Optional(Day),
    ...sortedBy(PHRASE_SORTS, 'asc'),
  },
  { additionalProperties: false },
);

/** Refuses a phrase that could never match, since its operator believes that it does. */
function refuseWithoutEffect(phrase: Static<typeof PhraseInput>): void {
  const errors: FieldError[] = [];
  if (!hasWords(phrase.phrase)) {
    errors.push({
      pointer: '/phrase',
      message: 'Give at least one letter or digit; nothing else is compared.',
    });
  }
  if (typeof phrase.effectiveTo === 'string' && phrase.effectiveTo <= phrase.effectiveFrom) {
    errors.push({
      pointer: '/effectiveTo',
      message: 'Give a day after effectiveFrom; it is the first without effect.',
    });
  }
  if (errors.length > 0)
    throw new Problem('not-acceptable-value', 'The phrase would never match.', { errors });
}

/** The content check's list: dated rows that an operator edits. */
export function registerRefusedPhraseRoutes(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/refused-phrases',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'listRefusedPhrases',
        summary: 'List refused phrases',
        tags: ['installation'],
        querystring: PhraseQuery,
        response: { 200: pageOf(PhraseOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { q, effectiveOn } = request.query;
      const query = {
        ...(q === undefined ? {} : { q }),
        ...(effectiveOn === undefined ? {} : { effectiveOn }),
        ...orderIn(PHRASE_SORTS, 'asc', request.query),
        ...range,
      };
      const { items, total } = await withAccountReading(deps.db, OPERATOR, (trx) =>
        listRefusedPhrases(trx, query),
      );
      return toPage(items, total, range);
    },
  );

  api.post(
    '/v1/refused-phrases',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'addRefusedPhrase',
        summary: 'Add a refused phrase',
        description: 'From that day on a campaign whose text has it is rejected before anybody is texted.',
        tags: ['installation'],
        body: PhraseInput,
        response: { 201: PhraseOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const phrase = { ...request.body, effectiveTo: request.body.effectiveTo ?? null };
      refuseWithoutEffect(phrase);
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const id = await insertRefusedPhrase(trx, phrase);
        await logChange(trx, request.caller, { kind: 'refused_phrase', id }, { what: 'create', to: phrase });
        return { status: 201, body: { id, ...phrase } };
      });
      return body;
    },
  );

  api.get(
    '/v1/refused-phrases/:id',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'getRefusedPhrase',
        summary: 'Read a refused phrase',
        tags: ['installation'],
        params: idParams('phr'),
        response: { 200: PhraseOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const found = await withAccountReading(deps.db, OPERATOR, (trx) =>
        findRefusedPhrase(trx, request.params.id),
      );
      if (found === null) throw notFound('phrase');
      const { version, ...phrase } = found;
      setEtag(reply, version);
      return phrase;
    },
  );

  api.delete(
    '/v1/refused-phrases/:id',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'removeRefusedPhrase',
        summary: 'Take a phrase out of the list',
        tags: ['installation'],
        params: idParams('phr'),
        response: { 204: Type.Null(), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await withAccount(deps.db, OPERATOR, async (trx) => {
        // A phrase is never changed, so what was read here is what is deleted, if it is still there.
        const found = await findRefusedPhrase(trx, id);
        if (found !== null) checkIfMatch(request, found.version);
        const phrase = await deleteRefusedPhrase(trx, id);
        if (phrase === null) throw notFound('phrase');
        const { id: _id, ...from } = phrase;
        await logChange(trx, request.caller, { kind: 'refused_phrase', id }, { what: 'delete', from });
      });
      return reply.code(204).send(null);
    },
  );
}
