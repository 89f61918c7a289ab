import { type Static, Type } from 'typebox';
import { type Trx, withAccount } from '../../db/database.ts';
import { erasePerson } from '../../db/erase-person.ts';
import { appendLog } from '../../db/log.ts';
import { listSuppressionHistory } from '../../db/suppression-history.ts';
import {
  findSuppression,
  listSuppressions,
  removeSuppression,
  suppress,
  suppressionKey,
  suppressionsOf,
} from '../../db/suppressions.ts';
import { removalNeedsReason, SUPPRESSION_KINDS } from '../../domain/suppression.ts';
import { type Caller, seesReports } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch, ONLY_VERSION, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { CursorQuery, cursorPageOf, rangeOf } from '../pages.ts';
import { notFound, Problem, problems, unknownReference } from '../problem.ts';
import { type ReadNumber, readNumber } from '../read-number.ts';
import { idParams } from '../schemas/common.ts';
import { NUMBER } from '../views/contact-view.ts';
import {
  KIND,
  NumberStanding,
  REASON,
  standingView,
  SuppressionChangeOutput,
  suppressionChangeView,
  SuppressionInput,
  SuppressionOutput,
  SuppressionTaken,
  suppressionView,
} from '../views/suppression-view.ts';
import { badCursor } from './contacts.ts';

const params = idParams('sup');
const SuppressionQuery = Type.Object(
  {
    ...CursorQuery.properties,
    kind: Type.Optional(Type.Array(KIND, { maxItems: SUPPRESSION_KINDS.length })),
  },
  { additionalProperties: false },
);
const NumberSearch = Type.Object({ number: NUMBER }, { additionalProperties: false });
const HistorySearch = Type.Object(
  { number: NUMBER, ...CursorQuery.properties },
  { additionalProperties: false },
);
const RemovalInput = Type.Object({ reason: Type.Optional(REASON) }, { additionalProperties: false });

/** Numbers that must not be texted. A number stands in bodies only, because URLs end up in logs. */
export function registerSuppressionRoutes(api: Api, deps: ApiDeps): void {
  registerReads(api, deps);
  registerSearches(api, deps);

  api.post(
    '/v1/suppressions',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'addSuppression',
        summary: 'Suppress a number',
        description:
          'At once, for campaigns that are under way too. Answers 200 with what is there if the number is suppressed in this way already; a parent without the grant is answered 202 in any case. `erased` takes everything known of its owner out of the account: contact, replies, kept answers, his number in audiences; a keyed hash alone is left.',
        tags: ['suppressions'],
        body: SuppressionInput,
        response: {
          200: SuppressionOutput,
          201: SuppressionOutput,
          202: SuppressionTaken,
          ...problems(409, 422),
        },
      },
    },
    async (request, reply) => {
      const { kind, senderId = null } = request.body;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const added = await addSuppression(trx, deps, request.caller, request.body);
        // Whether it was suppressed before says what its owner has replied, which is not the parent's to know.
        return seesReports(request.caller) ? added : { status: 202, body: { kind, senderId } };
      });
      return body;
    },
  );

  api.post(
    '/v1/suppressions/:id/remove',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'removeSuppression',
        summary: 'Remove a suppression',
        description:
          "An opt-out is lifted by the contact's own START; anybody else has to give a reason, which is kept with who and when. Answers with what else suppresses the number.",
        tags: ['suppressions'],
        params,
        body: RemovalInput,
        response: { 200: NumberStanding, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { accountId, actor } = request.caller;
      const reason = request.body.reason?.trim() ?? '';
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const found = await findSuppression(trx, request.params.id);
        if (found === null) throw notFound('suppression');
        checkIfMatch(request, ONLY_VERSION);
        if (reason === '' && removalNeedsReason(found.kind)) throw reasonRequired();
        const removal = { accountId, id: found.id, reason: reason === '' ? null : reason, actor };
        const numberHash = await removeSuppression(trx, removal);
        if (numberHash === null) throw notFound('suppression');
        const subject = { kind: 'suppression', id: found.id } as const;
        await appendLog(trx, { accountId, subject, what: 'delete', from: { kind: found.kind }, actor });
        return { status: 200, body: standingView(await suppressionsOf(trx, accountId, numberHash)) };
      });
      return body;
    },
  );
}

function registerReads(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/suppressions',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'listSuppressions',
        summary: 'List suppressions, the oldest first',
        tags: ['suppressions'],
        querystring: SuppressionQuery,
        response: { 200: cursorPageOf(SuppressionOutput), ...problems() },
      },
    },
    async (request) => {
      const { cursor, kind = [] } = request.query;
      const { accountId } = request.caller;
      const { limit } = rangeOf(request.query);
      const afterKey = cursor === undefined ? 0 : suppressionKey(cursor);
      if (afterKey === null) throw badCursor();
      const found = await withAccount(deps.db, accountId, (trx) =>
        listSuppressions(trx, { accountId, kinds: kind, afterKey, limit }),
      );
      return {
        items: found.map(suppressionView),
        nextCursor: found.length === limit ? (found.at(-1)?.id ?? null) : null,
      };
    },
  );

  api.get(
    '/v1/suppressions/:id',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'getSuppression',
        summary: 'Read a suppression',
        tags: ['suppressions'],
        params,
        response: { 200: SuppressionOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const found = await withAccount(deps.db, request.caller.accountId, (trx) =>
        findSuppression(trx, request.params.id),
      );
      if (found === null) throw notFound('suppression');
      setEtag(reply, ONLY_VERSION);
      return suppressionView(found);
    },
  );
}

function registerSearches(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/suppressions/find',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'findSuppressions',
        summary: 'Say whether a number may be texted',
        description: 'With everything that suppresses it, the gravest first.',
        tags: ['suppressions'],
        body: NumberSearch,
        response: { 200: NumberStanding, ...problems(422) },
      },
    },
    async (request) => {
      const { accountId } = request.caller;
      return withAccount(deps.db, accountId, async (trx) => {
        const { hash } = await readNumber(trx, deps, accountId, request.body.number);
        return standingView(await suppressionsOf(trx, accountId, hash));
      });
    },
  );

  api.post(
    '/v1/suppressions/history',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'listSuppressionHistory',
        summary: "List what became of a number's suppressions, the oldest first",
        tags: ['suppressions'],
        body: HistorySearch,
        response: { 200: cursorPageOf(SuppressionChangeOutput), ...problems(422) },
      },
    },
    async (request) => {
      const { accountId } = request.caller;
      const { number, cursor = '0' } = request.body;
      const { limit } = rangeOf(request.body);
      if (!/^\d{1,15}$/.test(cursor)) throw badCursor('/cursor');
      const changes = await withAccount(deps.db, accountId, async (trx) => {
        const { hash } = await readNumber(trx, deps, accountId, number);
        return listSuppressionHistory(trx, { accountId, numberHash: hash, afterKey: Number(cursor), limit });
      });
      return {
        items: changes.map(suppressionChangeView),
        nextCursor: changes.length === limit ? String(changes.at(-1)?.key ?? '') : null,
      };
    },
  );
}

async function addSuppression(
  trx: Trx,
  deps: ApiDeps,
  { accountId, actor }: Caller,
  input: Static<typeof SuppressionInput>,
): Promise<{ readonly status: number; readonly body: Static<typeof SuppressionOutput> }> {
  const { kind, senderId = null, reason = null } = input;
  const person = await readNumber(trx, deps, accountId, input.number);
  if (kind === 'erased') refuseForErasure(senderId, reason);
  await checkSender(trx, senderId);
  const added = await suppress(trx, {
    accountId,
    numberHash: person.hash,
    number: await storableNumber(trx, accountId, kind, person),
    kind,
    senderId,
    source: 'api',
    actor,
    reason,
  });
  if (kind === 'erased') await erasePerson(trx, { accountId, ...person, numberHash: person.hash });
  const all = await suppressionsOf(trx, accountId, person.hash);
  const found = all.find((one) => one.kind === kind && one.senderId === senderId);
  if (found === undefined) throw notFound('suppression');
  if (added !== null) {
    const subject = { kind: 'suppression', id: added } as const;
    await appendLog(trx, { accountId, subject, what: 'create', to: { kind, senderId }, actor });
  }
  return { status: added === null ? 200 : 201, body: suppressionView(found) };
}

/** Of somebody who was erased nothing but the hash is kept, whatever else is said of his number. */
async function storableNumber(
  trx: Trx,
  accountId: string,
  kind: string,
  person: ReadNumber,
): Promise<string | null> {
  if (kind === 'erased') return null;
  const known = await suppressionsOf(trx, accountId, person.hash);
  return known.some((one) => one.kind === 'erased') ? null : person.number;
}

function refuseForErasure(senderId: string | null, reason: string | null): void {
  const errors = [
    ...(senderId === null
      ? []
      : [{ pointer: '/senderId', message: 'Leave it out: an erasure holds for every sender.' }]),
    ...(reason === null
      ? []
      : [{ pointer: '/reason', message: 'Leave it out: no words about the person are kept.' }]),
  ];
  if (errors.length === 0) return;
  throw new Problem('not-acceptable-value', 'An erasure keeps nothing but a keyed hash.', { errors });
}

async function checkSender(trx: Trx, senderId: string | null): Promise<void> {
  if (senderId === null) return;
  const sender = await trx.selectFrom('senders').where('id', '=', senderId).select('id').executeTakeFirst();
  if (sender === undefined) throw unknownReference('/senderId', 'sender');
}

function reasonRequired(): Problem {
  return new Problem(
    'reason-required',
    "An opt-out or an erasure ends with the contact's own START, or with a reason on record. Give the reason.",
    { errors: [{ pointer: '/reason', message: 'Say who asked for it, when and how.' }] },
  );
}
