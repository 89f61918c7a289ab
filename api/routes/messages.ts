import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { type Campaign, findCampaign, lockCampaign, updateCampaign } from '../../db/campaigns.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import {
  deleteMessage,
  insertMessage,
  listMessages,
  type Message,
  updateExpiry,
  updateMessage,
} from '../../db/messages.ts';
import { useMedia } from '../../db/media.ts';
import { roleOf } from '../../domain/campaign-actions.ts';
import { isLive } from '../../domain/campaign-status.ts';
import { MESSAGES_MAX, resolveSchedule } from '../../domain/launch-check.ts';
import { previewOf } from '../../domain/preview.ts';
import { measureText, textFitsCarrier } from '../../domain/segments.ts';
import { parseTemplate } from '../../domain/template.ts';
import type { Caller } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { readExample } from '../example.ts';
import { idempotent } from '../idempotency.ts';
import { logChange, logUpdate } from '../log-change.ts';
import { type FieldError, notFound, Problem, problems, unknownReference } from '../problem.ts';
import { CampaignOutput } from '../schemas/campaign-schemas.ts';
import { idOf, idParams } from '../schemas/common.ts';
import { ExampleInput, MessageInput, PreviewOutput } from '../schemas/message-schemas.ts';
import { readCampaignView, readViewClock } from '../views/campaign-view.ts';
import { refuseLocked } from './campaigns.ts';

const params = Type.Object({ id: idOf('cmp'), messageId: idOf('msg') });

/** Messages of a campaign: what is sent, and how it will look. */
export function registerMessageRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/campaigns/:id/messages',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'addMessage',
        summary: 'Add a message',
        description:
          'Behind those that the draft has. Its schedule may follow later: a launch demands one of each message, but not of the first of a launch now.',
        tags: ['campaigns'],
        params: idParams('cmp'),
        body: MessageInput,
        response: { 201: CampaignOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const campaign = await lockCampaign(trx, request.params.id);
        if (campaign === null) throw notFound('campaign');
        checkIfMatch(request, campaign.version);
        refuseLocked(campaign, ['messages']);
        const messages = await listMessages(trx, campaign.id);
        if (messages.length >= MESSAGES_MAX) {
          throw new Problem(
            'not-acceptable-value',
            `A campaign has ${MESSAGES_MAX} messages at most. Delete one first.`,
          );
        }
        await checkContent(trx, request.body, deps.now());
        const id = await insertMessage(trx, accountId, campaign.id, request.body);
        await logChange(
          trx,
          request.caller,
          { kind: 'message', id },
          { what: 'create', campaignId: campaign.id },
        );
        await touchCampaign(trx, request.caller, campaign);
        return { status: 201, body: await readView(trx, deps, accountId, campaign.id) };
      });
      return body;
    },
  );

  api.patch(
    '/v1/campaigns/:id/messages/:messageId',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'updateMessage',
        summary: 'Edit a message of a draft',
        description:
          'Once launched, schedules are changed by the action `reschedule`; `expiresAfterMs` alone can still be changed here, unless a parent sends the campaign.',
        tags: ['campaigns'],
        params,
        body: MessageInput,
        response: { 200: CampaignOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const view = await withAccount(deps.db, accountId, async (trx) => {
        const { expiresAfterMs, ...details } = request.body;
        const campaign = await lockForChange(trx, request);
        if (Object.keys(details).length === 0 && expiresAfterMs !== undefined) {
          // What a parent sends was handed to its parts as it was, and is no account's own to change there.
          if (roleOf(campaign) !== 'standard') refuseLocked(campaign, ['expiresAfterMs']);
          const message = await unended(trx, request.params);
          await updateExpiry(trx, message, expiresAfterMs);
          await logMessageUpdate(trx, request.caller, message);
        } else {
          const message = await editable(trx, request.params, Object.keys(details));
          await checkContent(trx, request.body, deps.now());
          await updateMessage(trx, message.id, request.body);
          await logMessageUpdate(trx, request.caller, message);
        }
        await touchCampaign(trx, request.caller, campaign);
        return readView(trx, deps, accountId, request.params.id);
      });
      // Whoever is not reached now sees the change at his next lease or waking.
      if (isLive(view.status)) deps.workflows.wakeCampaign(accountId, view.id).catch(() => undefined);
      setEtag(reply, view.version);
      return view;
    },
  );

  api.delete(
    '/v1/campaigns/:id/messages/:messageId',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'deleteMessage',
        summary: 'Remove a message of a draft',
        tags: ['campaigns'],
        params,
        response: { 200: CampaignOutput, ...problems(404, 409, 412) },
      },
    },
    async (request) => {
      const { accountId } = request.caller;
      return withAccount(deps.db, accountId, async (trx) => {
        const campaign = await lockForChange(trx, request);
        const message = await editable(trx, request.params, ['messages']);
        await deleteMessage(trx, message);
        await logChange(
          trx,
          request.caller,
          { kind: 'message', id: message.id },
          { what: 'delete', campaignId: campaign.id },
        );
        await touchCampaign(trx, request.caller, campaign);
        return readView(trx, deps, accountId, request.params.id);
      });
    },
  );

  api.post(
    '/v1/campaigns/:id/messages/:messageId/preview',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'previewMessage',
        summary: 'Preview a message',
        description:
          'Rendered for a contact of the lists (or the one named): segments, encoding, what forces it, estimated cost, warnings. A message of a central campaign is rendered in a sub-account of its preset, the first one unless one is named.',
        tags: ['campaigns'],
        params,
        body: ExampleInput,
        response: { 200: PreviewOutput, ...problems(404, 422) },
      },
    },
    async (request) =>
      withAccount(deps.db, request.caller.accountId, async (trx) => {
        const campaign = await findCampaign(trx, request.params.id);
        const messages = campaign === null ? [] : await listMessages(trx, campaign.id);
        const message = messages.find((one) => one.id === request.params.messageId);
        if (campaign === null || message === undefined) throw notFound('message');
        const facts = await readExample(trx, campaign, message, request.body);
        return previewOf({ ...facts, at: deps.now() });
      }),
  );
}

/** A change of a message is one of its campaign, and makes a rejected one a draft again. */
async function touchCampaign(trx: Trx, caller: Caller, campaign: Campaign): Promise<void> {
  await updateCampaign(trx, campaign, {});
  if (campaign.status !== 'rejected') return;
  const { id } = campaign;
  const states = { before: { status: campaign.status }, after: { status: 'draft' } };
  await logUpdate(trx, caller, { kind: 'campaign', id }, states, { campaignId: id });
}

/** A line with what changed of a message; its text is named and not repeated. */
async function logMessageUpdate(trx: Trx, caller: Caller, before: Message): Promise<void> {
  const { id, campaignId } = before;
  const after = (await listMessages(trx, campaignId)).find((one) => one.id === id);
  const states = { before: contentOf(before), after: after === undefined ? {} : contentOf(after) };
  await logUpdate(trx, caller, { kind: 'message', id }, states, { campaignId, kept: ['text'] });
}

function contentOf(message: Message): Record<string, unknown> {
  const { text, mediaIds, scheduleLocal, scheduleZone, expiresAfterMs, usePrefix, useSuffix } = message;
  return { text, mediaIds, scheduleLocal, scheduleZone, expiresAfterMs, usePrefix, useSuffix };
}

async function readView(trx: Trx, deps: ApiDeps, accountId: string, campaignId: string) {
  const campaign = await findCampaign(trx, campaignId);
  if (campaign === null) throw notFound('campaign');
  const view = await readCampaignView(trx, campaign, await readViewClock(trx, accountId, deps.now()));
  return { ...view, version: campaign.version };
}

/**
 * A message has its campaign's version. The campaign is locked, so that nobody changes it in between; a change
 * of a message is one of its campaign, and makes a rejected campaign a draft again.
 */
async function lockForChange(
  trx: Trx,
  request: FastifyRequest<{ Params: { id: string } }>,
): Promise<Campaign> {
  const campaign = await lockCampaign(trx, request.params.id);
  if (campaign === null) throw notFound('campaign');
  checkIfMatch(request, campaign.version);
  return campaign;
}

async function editable(
  trx: Trx,
  ids: { readonly id: string; readonly messageId: string },
  fields: readonly string[],
): Promise<Message> {
  const campaign = await lockCampaign(trx, ids.id);
  if (campaign === null) throw notFound('campaign');
  const message = (await listMessages(trx, campaign.id)).find((one) => one.id === ids.messageId);
  if (message === undefined) throw notFound('message');
  refuseLocked(campaign, fields);
  return message;
}

/** A message whose settings can still matter. */
async function unended(trx: Trx, ids: { readonly id: string; readonly messageId: string }): Promise<Message> {
  const campaign = await lockCampaign(trx, ids.id);
  const messages = campaign === null ? [] : await listMessages(trx, campaign.id);
  const message = messages.find((one) => one.id === ids.messageId);
  if (message === undefined) throw notFound('message');
  if (message.endedAt !== null)
    throw new Problem(
      'details-locked',
      `The message is ${message.status} already and cannot be changed any more.`,
    );
  return message;
}

async function checkContent(trx: Trx, input: Static<typeof MessageInput>, now: number): Promise<void> {
  const errors: FieldError[] = [];
  if (input.text !== undefined) {
    const parsed = parseTemplate(input.text);
    if (parsed.kind === 'malformed') {
      errors.push({ pointer: '/text', message: `${parsed.message} (at character ${parsed.position + 1})` });
    } else if (!textFitsCarrier(input.text)) {
      const { encoding, units } = measureText(input.text);
      const most = encoding === 'gsm7' ? 1_600 : 737;
      errors.push({
        pointer: '/text',
        message: `It has ${units} ${encoding} characters; the carrier takes ${most}. Shorten it.`,
      });
    }
  }
  if (input.schedule !== undefined && input.schedule !== null) {
    const resolved = resolveSchedule(input.schedule, '/schedule', now);
    if (resolved.kind === 'issue') errors.push(resolved.issue);
  }
  if (errors.length > 0)
    throw new Problem('not-acceptable-value', 'The message is not acceptable yet.', { errors });
  const mediaIds = input.mediaIds ?? [];
  if (mediaIds.length === 0) return;
  const media = await useMedia(trx, mediaIds);
  const missing = mediaIds.findIndex((id) => !media.some((one) => one.id === id));
  if (missing !== -1) throw unknownReference(`/mediaIds/${missing}`, 'media');
  const bytes = media.reduce((sum, one) => sum + one.bytes, 0);
  if (bytes > MEDIA_BYTES_MAX) {
    throw new Problem('not-acceptable-value', 'All media of a message together have 5 MB at most.', {
      errors: [{ pointer: '/mediaIds', message: 'Attach less, or smaller pictures.' }],
    });
  }
}

/** All media of an MMS together; Plivo's limit. */
const MEDIA_BYTES_MAX = 5_000_000;
