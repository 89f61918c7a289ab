import { type Static, Type } from 'typebox';
import { findCampaign } from '../../db/campaigns.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { listMessages, type Message } from '../../db/messages.ts';
import { insertTestSend, listTestSends, type TestSend } from '../../db/test-sends/test-sends.ts';
import { publicId } from '../../domain/public-id.ts';
import type { Campaign } from '../../db/campaigns.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { idempotent } from '../idempotency.ts';
import { logChange } from '../log-change.ts';
import { cursorPageOf, PageSize, rangeOf } from '../pages.ts';
import { notFound, problems } from '../problem.ts';
import { idOf } from '../schemas/common.ts';
import { TestInput, TestOutput, TestsOrderedOutput } from '../schemas/test-schemas.ts';
import { testSendsOf } from './test-order.ts';

const params = Type.Object({ id: idOf('cmp'), messageId: idOf('msg') });
const Query = Type.Object(
  {
    cursor: Type.Optional(
      Type.String({ maxLength: 15, pattern: '^[0-9]+$', description: 'From the answer before.' }),
    ),
    pageSize: PageSize,
  },
  { additionalProperties: false },
);

/** Messages on trial: to the account's test numbers, outside the report. */
export function registerTestSendRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/campaigns/:id/messages/:messageId/test',
    {
      config: { scope: 'send' },
      schema: {
        operationId: 'testMessage',
        summary: 'Send a message on trial',
        description:
          'To the test numbers, as it would look for a contact, marked as a test. Nothing else about the campaign changes; its cost counts for the account.',
        tags: ['campaigns'],
        params,
        body: TestInput,
        response: { 202: TestsOrderedOutput, ...problems(404, 409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId, actor } = request.caller;
      const { id, messageId } = request.params;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const { campaign, message } = await findMessage(trx, id, messageId);
        const sends = await testSendsOf(trx, {
          campaign,
          message,
          input: request.body,
          requestedBy: actor.id,
          at: deps.now(),
        });
        const ids: string[] = [];
        for (const send of sends) ids.push(await insertTestSend(trx, send));
        await logChange(
          trx,
          request.caller,
          { kind: 'message', id: messageId },
          { what: 'test', campaignId: id, detail: { tests: ids } },
        );
        const tests = await listTestSends(trx, messageId, {
          below: Number.MAX_SAFE_INTEGER,
          limit: ids.length,
        });
        const url = `/v1/campaigns/${id}/messages/${messageId}/tests`;
        return { status: 202, body: { tests: tests.map(viewOf), url } };
      });
      for (const test of body.tests) {
        // Whoever does not start now is started by repair, within the time in which a test still makes sense.
        deps.workflows.startTestSend(accountId, test.id).catch(() => undefined);
      }
      return body;
    },
  );

  api.get(
    '/v1/campaigns/:id/messages/:messageId/tests',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'listTests',
        summary: 'List the tests of a message',
        description: 'The newest first, with what the carrier says of each.',
        tags: ['campaigns'],
        params,
        querystring: Query,
        response: { 200: cursorPageOf(TestOutput), ...problems(404) },
      },
    },
    async (request) => {
      const { id, messageId } = request.params;
      const { limit } = rangeOf(request.query);
      const below =
        request.query.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(request.query.cursor);
      const tests = await withAccount(deps.db, request.caller.accountId, async (trx) => {
        await findMessage(trx, id, messageId);
        return listTestSends(trx, messageId, { below, limit });
      });
      const last = tests.length === limit ? tests.at(-1) : undefined;
      return { items: tests.map(viewOf), nextCursor: last === undefined ? null : String(last.key) };
    },
  );
}

async function findMessage(
  trx: Trx,
  campaignId: string,
  messageId: string,
): Promise<{ readonly campaign: Campaign; readonly message: Message }> {
  const campaign = await findCampaign(trx, campaignId);
  const messages = campaign === null ? [] : await listMessages(trx, campaignId);
  const message = messages.find((one) => one.id === messageId);
  if (campaign === null || message === undefined) throw notFound('message');
  return { campaign, message };
}

function viewOf(test: TestSend): Static<typeof TestOutput> {
  return {
    id: test.id,
    number: test.number,
    contactId: test.contactId === null ? null : publicId('con', String(test.contactId)),
    state: test.state,
    cause: test.cause,
    errorCode: test.errorCode,
    inQuietHours: test.inQuietHours,
    segments: test.segments,
    cost: { amountMicro: test.costMicroUsd, currency: 'USD' },
    requestedBy: test.requestedBy,
    requestedAt: test.requestedAt.toISOString(),
  };
}
