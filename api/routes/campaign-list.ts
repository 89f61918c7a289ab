import { type Static, Type } from 'typebox';
import { CAMPAIGN_SORTS, type CampaignQuery, listCampaigns } from '../../db/campaign-list.ts';
import { withAccountReading } from '../../db/database.ts';
import { CAMPAIGN_KINDS, CAMPAIGN_STATUSES } from '../../domain/campaign-status.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { orderIn, Q, severalOf, sortedBy } from '../list-query.ts';
import { PageQuery, pageOf, rangeOf, toPage } from '../pages.ts';
import { problems } from '../problem.ts';
import { idOf, INSTANT, nullable, oneOf } from '../schemas/common.ts';
import { listItemView } from '../views/campaign-view.ts';

const CampaignListItemOutput = Type.Object({
  id: idOf('cmp'),
  name: nullable(Type.String()),
  displayName: Type.String(),
  kind: oneOf(CAMPAIGN_KINDS, { description: 'Whether the account or its parent sends it.' }),
  type: Type.String(),
  status: oneOf(CAMPAIGN_STATUSES, { description: 'The status of this campaign.' }),
  archived: Type.Boolean(),
  senderId: nullable(Type.String()),
  ownerId: nullable(Type.String()),
  purpose: nullable(Type.String()),
  startAt: nullable(INSTANT),
  createdBy: Type.String(),
  createdByName: nullable(Type.String()),
  createdAt: INSTANT,
  messageCount: Type.Integer(),
  lists: Type.Array(Type.Object({ id: Type.String(), name: Type.String() })),
});

const FILTER_VALUES_MAX = 100;
const several = { maxItems: FILTER_VALUES_MAX };
const Instant = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }));
const CampaignListQuery = Type.Object(
  {
    ...PageQuery.properties,
    q: Q,
    status: severalOf(
      oneOf([...CAMPAIGN_STATUSES, 'archived'], { description: 'archived lists archived ones.' }),
      { maxItems: CAMPAIGN_STATUSES.length + 1 },
    ),
    kind: severalOf(oneOf(CAMPAIGN_KINDS, { description: 'central: Central Send SMS.' }), {
      maxItems: CAMPAIGN_KINDS.length,
    }),
    senderId: severalOf(idOf('snd'), several),
    listId: severalOf(idOf('lst'), several),
    ownerId: severalOf(idOf('per'), several),
    createdBy: severalOf(
      Type.String({ pattern: '^(per|key)_[0-9a-z]{26}$', description: 'A person or a key.' }),
      several,
    ),
    purpose: severalOf(
      oneOf(['marketing', 'informational', 'service'], { description: 'Decides which rules bind it.' }),
      { maxItems: 3 },
    ),
    startFrom: Instant('That start at this instant or later.'),
    startTo: Instant('That start before this instant.'),
    createdFrom: Instant('Created at this instant or later.'),
    createdTo: Instant('Created before this instant.'),
    ...sortedBy(CAMPAIGN_SORTS, 'desc'),
  },
  { additionalProperties: false },
);

/** The list of campaigns. */
export function registerCampaignListRoute(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/campaigns',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'listCampaigns',
        summary: 'List campaigns',
        description: 'Archived campaigns are hidden unless `status=archived` asks for them.',
        tags: ['campaigns'],
        querystring: CampaignListQuery,
        response: { 200: pageOf(CampaignListItemOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { accountId } = request.caller;
      const { items, total } = await withAccountReading(deps.db, accountId, (trx) =>
        listCampaigns(trx, accountId, { ...filtersOf(request.query), ...range }),
      );
      return toPage(items.map(listItemView), total, range);
    },
  );
}

function filtersOf(query: Static<typeof CampaignListQuery>): Omit<CampaignQuery, 'offset' | 'limit'> {
  const statuses = query.status ?? [];
  return {
    ...(query.q === undefined ? {} : { q: query.q }),
    statuses: CAMPAIGN_STATUSES.filter((status) => statuses.some((wanted) => wanted === status)),
    archived: statuses.some((wanted) => wanted === 'archived'),
    ...(query.kind === undefined ? {} : { kinds: query.kind }),
    ...(query.senderId === undefined ? {} : { senderIds: query.senderId }),
    ...(query.listId === undefined ? {} : { listIds: query.listId }),
    ...(query.ownerId === undefined ? {} : { ownerIds: query.ownerId }),
    ...(query.createdBy === undefined ? {} : { createdBy: query.createdBy }),
    ...(query.purpose === undefined ? {} : { purposes: query.purpose }),
    ...(query.startFrom === undefined ? {} : { startFrom: new Date(query.startFrom) }),
    ...(query.startTo === undefined ? {} : { startTo: new Date(query.startTo) }),
    ...(query.createdFrom === undefined ? {} : { createdFrom: new Date(query.createdFrom) }),
    ...(query.createdTo === undefined ? {} : { createdTo: new Date(query.createdTo) }),
    ...orderIn(CAMPAIGN_SORTS, 'desc', query),
  };
}
