import { setTimeout as delay } from 'node:timers/promises';
import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import { createApiClient } from './api-client.ts';
import { type Branch, BRANCHES, makeBranches, makeParent, type Parent } from './central-branches.ts';
import { type AcceptedText, type BranchEnd, faultsOf, REFUSED } from './central-check.ts';
import { accountLines, createLiveTable, reportTable, reviewLines } from './central-show.ts';
import { zonesInDaylight } from './daylight.ts';
import type { Stage } from './story.ts';
import type { CampaignAccountView, CampaignView, CentralReviewView, CentralView } from './views.ts';

/** What the demo leaves to be looked at. */
export interface CentralDemo {
  readonly campaignId: string;
  readonly parentKey: string;
  readonly branchKeys: readonly { readonly name: string; readonly key: string }[];
  /** What does not add up, in words; empty when everybody is accounted for. */
  readonly faults: readonly string[];
}

const TEXT = '{{account.senderName}}: We open again on Saturday, and coffee is on us. Reply STOP to opt out';
const POLL_MS = 300;
/** How long a suspended account is left to be looked at before its parent mends it. */
const LOOK_MS = 4_000;
const PATIENCE_MS = 10 * 60_000;

/** A parent sends as each of its sub-accounts, from the first key to the last report, and everybody is counted. */
export async function playCentral(stage: Stage, signal: AbortSignal): Promise<CentralDemo> {
  const { say } = stage;
  const zones = zonesInDaylight(Date.now(), BRANCHES);
  const parent = await makeParent(stage, zones[0] ?? 'UTC');
  say(`An operator lets ${parent.name} send for its sub-accounts. It makes ${BRANCHES}, where it is day:`);
  const branches = await makeBranches(stage, parent, zones);
  for (const branch of branches) say(`  ${wordsOf(branch)}`);
  const campaignId = await draft(parent, branches);
  const review = await reviewAndLaunch(stage, parent, campaignId);
  say('It is launched with the token of that review. How each account stands, as the parent sees it:');
  const accounts = await follow(stage, { parent, branches, campaignId }, signal);
  const ends = await readEnds(stage, parent, { branches, accounts, review });
  await tellEnd(stage, { parent, campaignId, accounts, ends });
  const faults = faultsOf(ends, await readLedger(stage));
  if (faults.length === 0) {
    const people = ends.reduce((all, { contacts }) => all + contacts, 0);
    say(`All ${people} contacts are accounted for, and the carrier's ledger has nobody twice.`);
  }
  const branchKeys = branches.map(({ name, ownKey }) => ({ name, key: ownKey }));
  return { campaignId, parentKey: parent.key, branchKeys, faults };
}

function wordsOf({ name, zone, address, contacts, listIds, optedOut, hasLapsed }: Branch): string {
  const lists = listIds.length === 1 ? 'a list' : `${listIds.length} lists`;
  const others = [
    ...(optedOut === 0 ? [] : [`${optedOut} of them have opted out`]),
    ...(hasLapsed ? ['its registration has lapsed'] : []),
  ];
  return [`${name} (${zone}) from ${address}: ${contacts} contacts on ${lists}`, ...others].join(', ');
}

/** The pairs of sub-account and list under one name, and a campaign to them. */
async function draft({ client, personId }: Parent, branches: readonly Branch[]): Promise<string> {
  const preset = await client.post<{ id: string }>('/v1/presets', { name: 'All bakeries' });
  const pairs = branches.flatMap(({ accountId, listIds }) =>
    listIds.map((listId) => ({ accountId, listId })),
  );
  await client.post(`/v1/presets/${preset.id}/pairs`, { pairs });
  const { id } = await client.post<{ id: string }>('/v1/campaigns', {
    kind: 'central',
    name: 'Spring opening everywhere',
    presetId: preset.id,
    ownerId: personId,
    purpose: 'marketing',
    acknowledgement: ACKNOWLEDGEMENT,
  });
  await client.post(`/v1/campaigns/${id}/messages`, { text: TEXT });
  return id;
}

async function reviewAndLaunch(
  { say }: Stage,
  { client }: Parent,
  campaignId: string,
): Promise<CentralReviewView> {
  const review = await client.post<CentralReviewView>(`/v1/campaigns/${campaignId}/review`, { start: 'now' });
  say(
    [
      '',
      'The review, whose plan figures are the only ones that the parent gets:',
      ...reviewLines(review),
      '',
    ].join('\n'),
  );
  if (review.token === null) {
    throw new Error(`The launch is refused: ${review.refusals.map(({ message }) => message).join(' ')}`);
  }
  await client.post(`/v1/campaigns/${campaignId}/launch`, { start: 'now', reviewToken: review.token });
  return review;
}

interface Launched {
  readonly parent: Parent;
  readonly branches: readonly Branch[];
  readonly campaignId: string;
}

/** Shows the accounts until all of them are done; one that is suspended is mended and tried again. */
async function follow(
  { say }: Stage,
  { parent, branches, campaignId }: Launched,
  signal: AbortSignal,
): Promise<readonly CampaignAccountView[]> {
  const { client } = parent;
  const table = createLiveTable(say);
  const startedAt = performance.now();
  let suspendedAt: number | null = null;
  let isMended = false;
  while (performance.now() - startedAt < PATIENCE_MS) {
    // The API may be down for a moment while somebody plays with kill; the campaign goes on without it.
    const seen = await readStanding(parent, campaignId).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return null;
    });
    if (seen !== null) {
      table.update(seen.accounts);
      if (['finished', 'stopped', 'aborted', 'rejected'].includes(seen.status)) return seen.accounts;
      const suspended = seen.accounts.find(({ state, canRetry }) => state === 'suspended' && canRetry);
      if (suspended !== undefined) suspendedAt ??= performance.now();
      const branch = branches.find(({ accountId }) => accountId === suspended?.accountId);
      if (branch !== undefined && !isMended && performance.now() - (suspendedAt ?? 0) > LOOK_MS) {
        isMended = true;
        await branch.asParent.patch(`/v1/senders/${branch.senderId}`, { registration: 'approved' });
        await client.post(`/v1/campaigns/${campaignId}/accounts/${branch.accountId}/retry`, {});
        table.note(
          `The parent has the registration of ${branch.name} renewed, and tries that account again.`,
        );
      }
    }
    signal.throwIfAborted();
    await delay(POLL_MS);
  }
  throw new Error('The central campaign has not come to its end.');
}

async function readStanding(
  { client }: Parent,
  campaignId: string,
): Promise<{ readonly status: string; readonly accounts: readonly CampaignAccountView[] }> {
  // The status first: once it says that all are done, the accounts are read as they ended.
  const { status } = await client.get<CentralView>(`/v1/campaigns/${campaignId}`);
  const { items } = await client.get<{ items: readonly CampaignAccountView[] }>(
    `/v1/campaigns/${campaignId}/accounts?pageSize=200`,
  );
  return { status, accounts: items };
}

/** What each account's own key reads of its part, and what the parent is answered when it asks for the same. */
async function readEnds(
  { apiUrl }: Stage,
  parent: Parent,
  told: {
    readonly branches: readonly Branch[];
    readonly accounts: readonly CampaignAccountView[];
    readonly review: CentralReviewView;
  },
): Promise<BranchEnd[]> {
  return Promise.all(
    told.branches.map(async ({ accountId, name, contacts, optedOut, ownKey }): Promise<BranchEnd> => {
      const account = told.accounts.find((one) => one.accountId === accountId);
      const path = `/v1/campaigns/${account?.campaignId ?? ''}`;
      const { report } = await createApiClient(apiUrl, ownKey).get<CampaignView>(path);
      const answer = await fetch(apiUrl + path, {
        headers: { authorization: `Bearer ${parent.key}`, 'carillon-account': accountId },
      });
      // The API's own schemas have checked the answer.
      const { code } = (await answer.json()) as { code?: string };
      return {
        name,
        contacts,
        optedOut,
        planned: told.review.central.items.find((one) => one.accountId === accountId)?.recipients ?? 0,
        state: account?.state ?? 'nothing',
        report,
        parentAnswer: `${answer.status} ${code ?? ''}`.trim(),
      };
    }),
  );
}

async function tellEnd(
  { say }: Stage,
  {
    parent,
    campaignId,
    accounts,
    ends,
  }: {
    readonly parent: Parent;
    readonly campaignId: string;
    readonly accounts: readonly CampaignAccountView[];
    readonly ends: readonly BranchEnd[];
  },
): Promise<void> {
  const { status, report, central } = await parent.client.get<CentralView>(`/v1/campaigns/${campaignId}`);
  const states = Object.entries(central.states).filter(([, howMany]) => howMany > 0);
  const refused = ends.filter(({ parentAnswer }) => parentAnswer === REFUSED).length;
  say(
    [
      '',
      "Each account's own report, read with its own key:",
      ...reportTable(ends),
      '',
      `The parent's view: the campaign is ${status}, ${states.map(([state, howMany]) => `${howMany} ${state}`).join(', ')}, ${report === null ? 'and it has no report:' : 'and it has a report, which it should not have:'}`,
      ...accountLines(accounts),
      `It asked each account for its report, and was answered ${REFUSED} by ${refused} of ${ends.length}.`,
      '',
    ].join('\n'),
  );
}

async function readLedger({ sandboxUrl }: Stage): Promise<AcceptedText[]> {
  const response = await fetch(`${sandboxUrl}/sandbox/ledger`);
  const text = await response.text();
  // One object a line, written by the sandbox.
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AcceptedText);
}
