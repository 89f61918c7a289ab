import type { Static } from 'typebox';
import { findCampaign } from '../../db/campaigns.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { type LogFilter, readLog } from '../../db/log-lines.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { cursorPageOf, rangeOf } from '../pages.ts';
import { notFound, problems } from '../problem.ts';
import { idParams } from '../schemas/common.ts';
import { CampaignLogQuery, LogLineOutput, LogQuery } from '../schemas/log-schemas.ts';
import { logLineView } from '../views/log-view.ts';
import { badCursor } from './contacts.ts';

const CURSOR = /^\d{1,15}$/;

/** The log: who did what, when and by which way. Nothing changes or removes a line. */
export function registerLogRoutes(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/log',
    {
      config: { scope: 'read', orInstallation: true, forParents: 'reports' },
      schema: {
        operationId: 'readLog',
        summary: "Read the account's log",
        description:
          "With the lines of its campaigns, also of deleted ones. An operator's key without Carillon-Account reads what operators did at the installation.",
        tags: ['oversight'],
        querystring: LogQuery,
        response: { 200: cursorPageOf(LogLineOutput), ...problems() },
      },
    },
    async (request) =>
      withAccount(deps.db, request.caller.accountId, (trx) => readPage(trx, request.query, {})),
  );

  api.get(
    '/v1/campaigns/:id/log',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'readCampaignLog',
        summary: "Read a campaign's log",
        tags: ['oversight'],
        params: idParams('cmp'),
        querystring: CampaignLogQuery,
        response: { 200: cursorPageOf(LogLineOutput), ...problems(404) },
      },
    },
    async (request) =>
      withAccount(deps.db, request.caller.accountId, async (trx) => {
        const campaign = await findCampaign(trx, request.params.id);
        if (campaign === null) throw notFound('campaign');
        return readPage(trx, request.query, { campaignId: [campaign.id] });
      }),
  );
}

async function readPage(trx: Trx, query: Static<typeof LogQuery>, more: LogFilter) {
  const { cursor } = query;
  if (cursor !== undefined && !CURSOR.test(cursor)) throw badCursor();
  const { limit } = rangeOf(query);
  const after = cursor === undefined ? null : Number(cursor);
  const lines = await readLog(
    trx,
    { ...filterOf(query), ...more },
    { after, order: query.order ?? 'desc', limit },
  );
  if (lines === null) throw badCursor();
  return {
    items: lines.map(logLineView),
    nextCursor: lines.length === limit ? String(lines.at(-1)?.id ?? '') : null,
  };
}

function filterOf(query: Static<typeof LogQuery>): LogFilter {
  const { atFrom, atTo, cursor: _cursor, pageSize: _pageSize, order: _order, ...filter } = query;
  return {
    ...filter,
    ...(atFrom === undefined ? {} : { atFrom: new Date(atFrom) }),
    ...(atTo === undefined ? {} : { atTo: new Date(atTo) }),
  };
}
