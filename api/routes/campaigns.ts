import type { Static } from 'typebox';
import {
  type Campaign,
  type CampaignDetails,
  findCampaign,
  insertCampaign,
  lockCampaign,
  updateCampaign,
} from '../../db/campaigns.ts';
import { askedTogether } from '../../db/asked-together.ts';
import { type Trx, withAccount, withAccountReading } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { listMessages } from '../../db/messages.ts';
import { findPerson } from '../../db/people.ts';
import { listRecipients } from '../../db/reports.ts';
import type { CampaignKind } from '../../domain/campaign-status.ts';
import { detailsAreEditable, SETTINGS } from '../../domain/campaign-actions.ts';
import { publicId } from '../../domain/public-id.ts';
import type { Caller } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { brokenUniqueRule } from '../errors.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { logChange, logUpdate } from '../log-change.ts';
import { cursorPageOf } from '../pages.ts';
import { notFound, Problem, problems, unknownReference } from '../problem.ts';
import { CampaignInput, CampaignOutput } from '../schemas/campaign-schemas.ts';
import { RecipientOutput, RecipientQuery } from '../schemas/recipient-schemas.ts';
import { idParams } from '../schemas/common.ts';
import { requireCentralSend } from '../require-central-send.ts';
import { readCampaignParts, readCampaignView, readViewClock } from '../views/campaign-view.ts';

const params = idParams('cmp');

/** Campaigns: create, list, read, edit, and who their recipients are. */
export function registerCampaignRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/campaigns',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'createCampaign',
        summary: 'Create a draft',
        description: 'Every detail may be left for later; `missing` says what a launch still needs.',
        tags: ['campaigns'],
        body: CampaignInput,
        response: { 201: CampaignOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId, actor } = request.caller;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const { kind = 'standard' } = request.body;
        const details = await checkDetails(trx, kind, request.body, actor.id);
        if (kind === 'central') await requireCentralSend(trx, accountId);
        const id = newId('cmp');
        const [, , view] = await askedTogether([
          insertCampaign(trx, { ...details, id, accountId, kind, createdBy: actor.id }).catch(nameTaken),
          logChange(trx, request.caller, { kind: 'campaign', id }, { what: 'create', campaignId: id }),
          readView(trx, deps, accountId, id),
        ]);
        return { status: 201, body: view };
      });
      return body;
    },
  );

  api.get(
    '/v1/campaigns/:id',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'getCampaign',
        summary: 'Read a campaign',
        description:
          'With its messages from oldest to newest, their reports, what it allows now and what happens next.',
        tags: ['campaigns'],
        params,
        response: { 200: CampaignOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      return withAccountReading(deps.db, accountId, async (trx) => {
        const [campaign, clock, parts] = await Promise.all([
          findCampaign(trx, request.params.id),
          readViewClock(trx, accountId, deps.now()),
          readCampaignParts(trx, { id: request.params.id, accountId }),
        ]);
        if (campaign === null) throw notFound('campaign');
        setEtag(reply, campaign.version);
        return readCampaignView(trx, campaign, clock, parts);
      });
    },
  );

  api.patch(
    '/v1/campaigns/:id',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'updateCampaign',
        summary: "Edit a draft's details, or a campaign's settings",
        description:
          'Details are locked from launch on; the budget is a setting and may be changed while the campaign runs. A rejected campaign becomes a draft again.',
        tags: ['campaigns'],
        params,
        body: CampaignInput,
        response: { 200: CampaignOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { accountId, actor } = request.caller;
      const view = await withAccount(deps.db, accountId, async (trx) => {
        const campaign = await lockCampaign(trx, request.params.id);
        if (campaign === null) throw notFound('campaign');
        checkIfMatch(request, campaign.version);
        refuseOtherKind(campaign, request.body.kind);
        refuseLocked(campaign, Object.keys(request.body));
        // A part's only field is its budget, which a central campaign has not.
        const kind = campaign.centralId === null ? campaign.kind : 'standard';
        const details = await checkDetails(trx, kind, request.body, actor.id);
        await updateCampaign(trx, campaign, details).catch(nameTaken);
        await logCampaignUpdate(trx, request.caller, campaign);
        return readView(trx, deps, accountId, campaign.id);
      });
      setEtag(reply, view.version);
      return view;
    },
  );

  api.get(
    '/v1/campaigns/:id/recipients',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'listRecipients',
        summary: 'List recipients of a message',
        description: 'Of the first message unless one is named.',
        tags: ['campaigns'],
        params,
        querystring: RecipientQuery,
        response: { 200: cursorPageOf(RecipientOutput), ...problems(404) },
      },
    },
    async (request) => {
      const { messageId, state, cursor, pageSize } = request.query;
      const limit = pageSize ?? 50;
      return withAccount(deps.db, request.caller.accountId, async (trx) => {
        const campaign = await findCampaign(trx, request.params.id);
        if (campaign === null) throw notFound('campaign');
        const messages = await listMessages(trx, campaign.id);
        const message = messageId === undefined ? messages[0] : messages.find((one) => one.id === messageId);
        if (message === undefined) {
          if (messageId !== undefined) throw notFound('message');
          return { items: [], nextCursor: null };
        }
        const lines = await listRecipients(trx, campaign, message, {
          states: state ?? [],
          after: Number(cursor ?? 0),
          limit,
        });
        return {
          items: lines.map(({ recipient, contactId, ...line }) => ({
            ...line,
            id: recipient,
            contactId: publicId('con', String(contactId)),
          })),
          nextCursor: lines.length === limit ? String(lines.at(-1)?.recipient ?? '') : null,
        };
      });
    },
  );
}

/** A line with what changed of a campaign's details since it was locked. */
async function logCampaignUpdate(trx: Trx, caller: Caller, before: Campaign): Promise<void> {
  const after = await findCampaign(trx, before.id);
  if (after === null) throw notFound('campaign');
  const states = { before: detailsOf(before), after: detailsOf(after) };
  const { id } = before;
  await logUpdate(trx, caller, { kind: 'campaign', id }, states, { campaignId: id });
}

function detailsOf(campaign: Campaign): Record<string, unknown> {
  const { name, status, senderId, ownerId, purpose, audienceTiming, acknowledgedBy } = campaign;
  const { presetId, timing } = campaign;
  const { listIds, excludedListIds, budgetMicroUsd } = campaign;
  const audience = audienceTiming;
  const lists = { listIds, excludedListIds };
  const common = { name, status, senderId, ownerId, purpose, acknowledgedBy };
  return campaign.kind === 'central'
    ? { ...common, presetId, timing }
    : { ...common, audience, ...lists, budgetMicroUsd };
}

/** A central campaign never becomes a standard one, nor the other way round. */
function refuseOtherKind(campaign: Campaign, kind: CampaignKind | undefined): void {
  if (kind === undefined || kind === campaign.kind) return;
  throw new Problem('not-interchangeable', `This campaign is ${campaign.kind}, and stays so.`, {
    errors: [{ pointer: '/kind', message: `Leave it out, or create a ${kind} campaign.` }],
  });
}

/** Refuses a change of details from launch on, naming each field. */
export function refuseLocked(campaign: Campaign, fields: readonly string[]): void {
  const locked = fields.filter((field) => !SETTINGS.has(field));
  if (locked.length === 0) return;
  if (campaign.centralId !== null) {
    throw new Problem(
      'details-locked',
      `The campaign was sent by ${campaign.parentName ?? 'the parent'}, who alone edits it.`,
      { errors: locked.map((field) => ({ pointer: `/${field}`, message: 'It is the parent’s to edit.' })) },
    );
  }
  if (detailsAreEditable(campaign.status)) return;
  throw new Problem(
    'details-locked',
    `Details are locked from launch on, and this campaign is ${campaign.status}.`,
    {
      errors: locked.map((field) => ({
        pointer: `/${field}`,
        message:
          campaign.kind === 'central'
            ? 'It is locked. Duplicate the campaign.'
            : 'It is locked. Withdraw the campaign, or duplicate it.',
      })),
    },
  );
}

async function readView(trx: Trx, deps: ApiDeps, accountId: string, id: string) {
  const [campaign, clock, parts] = await Promise.all([
    findCampaign(trx, id),
    readViewClock(trx, accountId, deps.now()),
    readCampaignParts(trx, { id, accountId }),
  ]);
  if (campaign === null) throw notFound('campaign');
  const view = await readCampaignView(trx, campaign, clock, parts);
  return { ...view, version: campaign.version };
}

/** Turns the name's unique rule into the problem that says so. */
function nameTaken(error: unknown): never {
  if (brokenUniqueRule(error) === 'campaigns_name') {
    throw new Problem(
      'name-taken',
      'Another campaign of this account has this name, without regard to case.',
      {
        errors: [{ pointer: '/name', message: 'Choose another name.' }],
      },
    );
  }
  throw error;
}

async function checkDetails(
  trx: Trx,
  kind: CampaignKind,
  input: Static<typeof CampaignInput>,
  actorId: string,
): Promise<CampaignDetails> {
  if (input.name !== undefined && input.name !== null && input.name.trim() === '') {
    throw new Problem('invalid-field', 'A name of nothing but space cannot be told apart.', {
      errors: [{ pointer: '/name', message: 'Give a name with at least one visible character.' }],
    });
  }
  refuseOfOtherKind(kind, input);
  await checkReferences(trx, input);
  return {
    ...(input.presetId === undefined ? {} : { presetId: input.presetId }),
    ...(input.timing === undefined ? {} : { timing: input.timing }),
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(input.senderId === undefined ? {} : { senderId: input.senderId }),
    ...(input.ownerId === undefined ? {} : { ownerId: input.ownerId }),
    ...(input.purpose === undefined ? {} : { purpose: input.purpose }),
    ...(input.audience === undefined ? {} : { audienceTiming: input.audience }),
    ...(input.listIds === undefined ? {} : { listIds: input.listIds }),
    ...(input.excludedListIds === undefined ? {} : { excludedListIds: input.excludedListIds }),
    ...(input.budget === undefined ? {} : { budgetMicroUsd: input.budget?.amountMicro ?? null }),
    ...(input.acknowledgement === undefined
      ? {}
      : { acknowledgedBy: input.acknowledgement === null ? null : actorId }),
  };
}

const ONLY_STANDARD = ['listIds', 'excludedListIds', 'audience', 'budget'] as const;
const ONLY_CENTRAL = ['presetId', 'timing'] as const;

/** Whom a central campaign is sent to, and from what, its preset says; a standard one has no preset. */
function refuseOfOtherKind(kind: CampaignKind, input: Static<typeof CampaignInput>): void {
  const unwanted = (kind === 'central' ? ONLY_STANDARD : ONLY_CENTRAL).filter(
    (field) => input[field] !== undefined,
  );
  if (unwanted.length === 0) return;
  throw new Problem('not-acceptable-value', `A ${kind} campaign has nothing of the kind.`, {
    errors: unwanted.map((field) => ({
      pointer: `/${field}`,
      message:
        kind === 'central' ? 'Leave it out: choose a preset.' : 'Leave it out, or create a central campaign.',
    })),
  });
}

async function checkReferences(trx: Trx, input: Static<typeof CampaignInput>): Promise<void> {
  if (typeof input.senderId === 'string') {
    const sender = await trx
      .selectFrom('senders')
      .where('id', '=', input.senderId)
      .select('id')
      .executeTakeFirst();
    if (sender === undefined) throw unknownReference('/senderId', 'sender');
  }
  if (typeof input.presetId === 'string') {
    const preset = await trx
      .selectFrom('presets')
      .where('id', '=', input.presetId)
      .where('deleted_at', 'is', null)
      .select('id')
      .executeTakeFirst();
    if (preset === undefined) throw unknownReference('/presetId', 'preset');
  }
  if (typeof input.ownerId === 'string') {
    const owner = await findPerson(trx, input.ownerId);
    if (owner === null) throw unknownReference('/ownerId', 'person');
    if (owner.disabledAt !== null) {
      throw new Problem('unknown-reference', 'The owner would be a person who is disabled.', {
        errors: [{ pointer: '/ownerId', message: 'Name another person, or enable this one first.' }],
      });
    }
  }
  for (const field of ['listIds', 'excludedListIds'] as const) {
    const wanted = input[field] ?? [];
    if (wanted.length === 0) continue;
    const found = await trx.selectFrom('lists').where('id', 'in', wanted).select('id').execute();
    const missing = wanted.findIndex((id) => !found.some((list) => list.id === id));
    if (missing !== -1) throw unknownReference(`/${field}/${missing}`, 'list');
  }
}
