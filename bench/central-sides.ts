import { withAccount } from '../db/database.ts';
import { createApiClient } from '../dev/demo/api-client.ts';
import { eachAtOnce } from '../engine/each-at-once.ts';
import { type CentralAccounts, draftCentral } from './central-data.ts';
import type { SentCentral } from './central-events.ts';
import type { CentralPlace } from './central-place.ts';
import { type DispatchAccount, type DispatchCampaign, draftCampaign, orderLaunch } from './dispatch-data.ts';
import { PERSONAL_TEXT } from './texts.ts';
import { timeSending } from './time-sending.ts';

/** What a parent waits for, in milliseconds. */
export interface CentralTimes {
  readonly reviewMs: number;
  /** Until the launch is answered; it looks again at what was reviewed. */
  readonly launchMs: number;
  /** From the same moment until everybody has been texted. */
  readonly sendingMs: number;
}

const ORDERS_AT_ONCE = 50;

/** Sends one campaign as each of the sub-accounts, confirmed over HTTP as a parent does. */
export async function sendCentrally(
  place: CentralPlace,
  accounts: CentralAccounts,
): Promise<CentralTimes & { readonly sent: SentCentral }> {
  const { parent, subAccounts, key } = accounts;
  const api = createApiClient(place.apiUrl, key);
  const campaignId = await draftCentral(place.db, accounts, PERSONAL_TEXT);
  const path = `/v1/campaigns/${campaignId}`;
  const review = await timed(() =>
    api.post<{ readonly token: string | null }>(`${path}/review`, { start: 'now' }),
  );
  const { token: reviewToken } = review.result;
  if (reviewToken === null) throw new Error('The review refuses the launch.');
  let launchMs = 0;
  let partIds: string[] = [];
  const sendingMs = await timeSending(place, {
    recipients: sum(subAccounts),
    order: async () => {
      const launch = await timed(() => api.post(`${path}/launch`, { start: 'now', reviewToken }));
      launchMs = launch.ms;
    },
    campaignIds: async () => {
      partIds = await partsOf(place, parent.accountId, campaignId);
      return partIds;
    },
  });
  const sent = { accountId: parent.accountId, campaignId, partIds };
  return { reviewMs: review.ms, launchMs, sendingMs, sent };
}

/** Sends a campaign of its own of each of these accounts. They were drafted before. */
export async function sendSeparately(
  place: CentralPlace,
  accounts: readonly DispatchAccount[],
): Promise<number> {
  const drafts: { readonly campaign: DispatchCampaign; readonly personId: string }[] = [];
  await eachAtOnce(accounts, ORDERS_AT_ONCE, async (account) => {
    const campaign = await withAccount(place.db, account.accountId, (trx) =>
      draftCampaign(trx, account, { text: PERSONAL_TEXT }),
    );
    drafts.push({ campaign, personId: account.personId });
  });
  return timeSending(place, {
    recipients: sum(accounts),
    order: () =>
      eachAtOnce(drafts, ORDERS_AT_ONCE, async ({ campaign, personId }) => {
        await withAccount(place.db, campaign.accountId, (trx) =>
          orderLaunch(trx, campaign, personId, 'now', Date.now()),
        );
        await place.workflows.ensureCampaign(campaign.accountId, campaign.campaignId);
      }),
    campaignIds: () => Promise.resolve(drafts.map(({ campaign }) => campaign.campaignId)),
  });
}

async function partsOf({ db }: CentralPlace, parentId: string, campaignId: string): Promise<string[]> {
  const rows = await withAccount(db, parentId, (trx) =>
    trx.selectFrom('central_parts').where('central_id', '=', campaignId).select('campaign_id').execute(),
  );
  return rows.flatMap((row) => (row.campaign_id === null ? [] : [row.campaign_id]));
}

function sum(accounts: readonly DispatchAccount[]): number {
  return accounts.reduce((total, { contacts }) => total + contacts, 0);
}

async function timed<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly ms: number }> {
  const startedAt = performance.now();
  const result = await work();
  return { result, ms: performance.now() - startedAt };
}
