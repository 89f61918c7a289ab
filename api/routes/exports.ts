import { Type } from 'typebox';
import { findCampaign } from '../../db/campaigns.ts';
import { withAccount } from '../../db/database.ts';
import { findImport } from '../../db/imports.ts';
import { listMessages } from '../../db/messages.ts';
import { SUPPRESSION_KINDS } from '../../domain/suppression.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { EXPORT_FIELDS, EXPORT_SCHEMA, sendExport } from '../export-stream.ts';
import { logExport, recipientsExport, refusalsExport, suppressionsExport } from '../exports.ts';
import { notFound, problems } from '../problem.ts';
import { idOf, idParams } from '../schemas/common.ts';
import { KIND } from '../views/suppression-view.ts';

const { produces, answer } = EXPORT_SCHEMA;
// A HEAD would run a whole export to say nothing.
const config = { scope: 'reports', forParents: 'reports' } as const;
const options = { config, exposeHeadRoute: false } as const;
const cursorOf = (pattern: string) =>
  Type.Optional(Type.String({ ...EXPORT_FIELDS.cursor, pattern, maxLength: 64 }));

const RecipientsQuery = Type.Object(
  {
    format: EXPORT_FIELDS.format,
    cursor: cursorOf('^[0-9]{1,4}\\.[0-9]{1,9}$'),
    messageId: Type.Optional(idOf('msg', { description: 'Of this message only.' })),
  },
  { additionalProperties: false },
);
const SuppressionsQuery = Type.Object(
  {
    format: EXPORT_FIELDS.format,
    cursor: cursorOf('^sup_[0-9a-hjkmnp-tv-z]{13}$'),
    kind: Type.Optional(Type.Array(KIND, { maxItems: SUPPRESSION_KINDS.length })),
  },
  { additionalProperties: false },
);
const NumberedQuery = Type.Object(
  { format: EXPORT_FIELDS.format, cursor: cursorOf('^[0-9]{1,15}$') },
  { additionalProperties: false },
);

/** Downloads of any size, which go on by cursor when they break off. */
export function registerExportRoutes(api: Api, deps: ApiDeps): void {
  registerRecipientsExport(api, deps);
  registerLogExports(api, deps);

  api.get(
    '/v1/suppressions/export',
    {
      ...options,
      schema: {
        operationId: 'exportSuppressions',
        summary: 'Download suppressions',
        description: 'The file can be imported as it is.',
        tags: ['suppressions'],
        querystring: SuppressionsQuery,
        produces,
        response: { 200: answer, ...problems() },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const source = suppressionsExport(accountId, request.query.kind ?? []);
      return sendExport(reply, deps.db, request.caller, source, request.query);
    },
  );

  api.get(
    '/v1/imports/:id/refusals/export',
    {
      ...options,
      schema: {
        operationId: 'exportImportRefusals',
        summary: 'Download the rows that were refused',
        tags: ['contacts'],
        params: idParams('imp'),
        querystring: NumberedQuery,
        produces,
        response: { 200: answer, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const found = await withAccount(deps.db, accountId, (trx) => findImport(trx, request.params.id));
      if (found === null) throw notFound('import');
      return sendExport(reply, deps.db, request.caller, refusalsExport(found.id), request.query);
    },
  );
}

function registerRecipientsExport(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/campaigns/:id/recipients/export',
    {
      ...options,
      schema: {
        operationId: 'exportRecipients',
        summary: 'Download recipients with what became of each',
        description:
          'Message by message, in the order of the audience; of one message only if it is named. While a campaign runs each row is as it stands when it is read.',
        tags: ['campaigns'],
        params: idParams('cmp'),
        querystring: RecipientsQuery,
        produces,
        response: { 200: answer, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { messageId } = request.query;
      const source = await withAccount(deps.db, accountId, async (trx) => {
        const campaign = await findCampaign(trx, request.params.id);
        if (campaign === null) throw notFound('campaign');
        const all = await listMessages(trx, campaign.id);
        const messages = messageId === undefined ? all : all.filter((message) => message.id === messageId);
        if (messageId !== undefined && messages.length === 0) throw notFound('message');
        return recipientsExport(campaign, messages);
      });
      return sendExport(reply, deps.db, request.caller, source, request.query);
    },
  );
}

function registerLogExports(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/log/export',
    {
      ...options,
      schema: {
        operationId: 'exportLog',
        summary: "Download the account's log, the oldest line first",
        tags: ['oversight'],
        querystring: NumberedQuery,
        produces,
        response: { 200: answer, ...problems() },
      },
    },
    async (request, reply) => sendExport(reply, deps.db, request.caller, logExport('log', {}), request.query),
  );

  api.get(
    '/v1/campaigns/:id/log/export',
    {
      ...options,
      schema: {
        operationId: 'exportCampaignLog',
        summary: "Download a campaign's log, the oldest line first",
        tags: ['oversight'],
        params: idParams('cmp'),
        querystring: NumberedQuery,
        produces,
        response: { 200: answer, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const campaign = await withAccount(deps.db, accountId, (trx) => findCampaign(trx, request.params.id));
      if (campaign === null) throw notFound('campaign');
      const source = logExport(`${campaign.id}-log`, { campaignId: [campaign.id] });
      return sendExport(reply, deps.db, request.caller, source, request.query);
    },
  );
}
