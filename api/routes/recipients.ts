import { Type } from 'typebox';
import { type Campaign, findCampaign } from '../../db/campaigns.ts';
import { readTimeline } from '../../db/contact-timeline.ts';
import { findContact } from '../../db/contacts.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { numberHash } from '../../db/number-hash.ts';
import { findRecipient } from '../../db/recipient-story.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { CursorQuery, cursorPageOf, rangeOf } from '../pages.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { readNumber } from '../read-number.ts';
import { idOf, idParams } from '../schemas/common.ts';
import { readViewClock } from '../views/campaign-view.ts';
import { NUMBER } from '../views/contact-view.ts';
import {
  readRecipientView,
  RecipientStoryOutput,
  TimelineEventOutput,
  timelineView,
} from '../views/recipient-view.ts';
import { badCursor } from './contacts.ts';

const RECIPIENTS_MAX = 2_147_483_647;
const params = Type.Object({
  id: idOf('cmp'),
  recipient: Type.Integer({ minimum: 1, maximum: RECIPIENTS_MAX }),
});
const RecipientSearch = Type.Object({ number: NUMBER }, { additionalProperties: false });
const TIMELINE_CURSOR = /^\d{1,17}~[a-z0-9.]{2,40}$/;

/** What happened to one person: as a recipient of a campaign, and over all campaigns. */
export function registerRecipientRoutes(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/campaigns/:id/recipients/:recipient',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'getRecipient',
        summary: 'Explain one recipient',
        description:
          'Each attempt with what the carrier said of it, why he is left out, and when he is due, message by message.',
        tags: ['campaigns'],
        params,
        response: { 200: RecipientStoryOutput, ...problems(404) },
      },
    },
    async (request) => {
      const { accountId } = request.caller;
      const { id, recipient } = request.params;
      return withAccount(deps.db, accountId, (trx) => readStory(trx, deps, accountId, id, { recipient }));
    },
  );

  api.post(
    '/v1/campaigns/:id/recipients/find',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'findRecipient',
        summary: 'Explain the recipient with a number',
        description: 'Who was erased is found, too: by the keyed hash that is left of his number.',
        tags: ['campaigns'],
        params: idParams('cmp'),
        body: RecipientSearch,
        response: { 200: RecipientStoryOutput, ...problems(404, 422) },
      },
    },
    async (request) => {
      const { accountId } = request.caller;
      return withAccount(deps.db, accountId, async (trx) => {
        const campaign = await campaignOf(trx, request.params.id);
        const { hash } = await readNumber(trx, deps, accountId, request.body.number);
        return readStory(trx, deps, accountId, campaign.id, { numberHash: hash });
      });
    },
  );

  api.get(
    '/v1/contacts/:id/timeline',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'readContactTimeline',
        summary: 'Read what happened between the account and a contact, the newest first',
        description:
          'Over all campaigns, deleted ones too: texts, what the carrier reported, why he was left out, replies and opt-outs. It is that of the number which the contact has now.',
        tags: ['contacts'],
        params: idParams('con'),
        querystring: CursorQuery,
        response: { 200: cursorPageOf(TimelineEventOutput), ...problems(404) },
      },
    },
    async (request) => {
      const { accountId } = request.caller;
      const { cursor } = request.query;
      const { limit } = rangeOf(request.query);
      if (cursor !== undefined && !TIMELINE_CURSOR.test(cursor)) throw badCursor();
      const events = await withAccount(deps.db, accountId, async (trx) => {
        const contact = await findContact(trx, request.params.id);
        if (contact === null) throw notFound('contact');
        const hash = numberHash(deps.hashKey, contact.number);
        return readTimeline(trx, { accountId, numberHash: hash, after: cursor ?? null, limit });
      });
      return {
        items: events.map(timelineView),
        nextCursor: events.length === limit ? (events.at(-1)?.cursor ?? null) : null,
      };
    },
  );
}

async function campaignOf(trx: Trx, id: string): Promise<Campaign> {
  const campaign = await findCampaign(trx, id);
  if (campaign === null) throw notFound('campaign');
  return campaign;
}

async function readStory(
  trx: Trx,
  deps: ApiDeps,
  accountId: string,
  campaignId: string,
  by: Parameters<typeof findRecipient>[2],
) {
  const campaign = await campaignOf(trx, campaignId);
  const him = await findRecipient(trx, campaign, by);
  if (him === null) {
    throw new Problem(
      'not-found',
      'There is no such recipient in this campaign. Check whom you look for, and whether its audience is frozen.',
    );
  }
  return readRecipientView(trx, campaign, him, await readViewClock(trx, accountId, deps.now()));
}
