import { type ApiClient, createApiClient } from '../dev/demo/api-client.ts';
import { startSystem, type System } from '../dev/launcher.ts';
import {
  importList,
  makeSendingAccount,
  numbersOf,
  type SendingAccount,
  takeLimitsAway,
} from '../dev/sending-account.ts';
import { inThrowawayHome } from '../dev/throwaway-home.ts';
import { until } from '../dev/until.ts';
import { ACKNOWLEDGEMENT } from '../domain/launch-check.ts';
import type { BenchOptions } from './bench.ts';
import { makeFamily, sendToFamily, type Sibling } from './fairness-siblings.ts';
import { type BenchRow, measurePairs } from './pairs.ts';

const CROWD = 100_000;
const RECIPIENTS = 100;
const SEGMENTS_PER_SECOND = 20;
const RATIO_MAX = 1.2;
/** Of another campaign of the same sender: more than it can have sent before the few are done. */
const FELLOWS = 2_000;
const FELLOWS_AREA = '305';
/** Half of the pace, and the turn that the other campaign has when the few come. */
const SHARE_RATIO_MAX = 2.5;
/** Numbers of an area from 9000 on have a fate of their own at the sandbox; two of them suspend a campaign. */
const NUMBERS_OF_AREA = 9_000;
const AREAS = [
  '201',
  '202',
  '203',
  '205',
  '206',
  '207',
  '208',
  '209',
  '210',
  '212',
  '213',
  '214',
  '215',
  '216',
  '217',
  '218',
];
const PATIENCE_MS = 300_000;

/** An account as this bench uses it. */
interface Sending extends Sibling {
  readonly api: ApiClient;
  readonly senderId: string;
  readonly personId: string;
}

interface CampaignBody {
  readonly id: string;
  readonly status: string;
  readonly statusReasons: readonly { readonly code: string }[];
  readonly launchedAt: string | null;
  readonly report: { readonly accepted: number };
  readonly messages: readonly { readonly status: string; readonly endedAt: string | null }[];
}

/**
 * Measures how long a paced campaign of a hundred takes, from its launch to its last text, while another account sends
 * a hundred thousand unpaced through the same worker and carrier account, beside its time alone; and how long while
 * another campaign of its own sender is being sent; and how long while the same central campaign texts a large sub-account.
 */
export function benchFairness(options: BenchOptions): Promise<BenchRow[]> {
  return inThrowawayHome('bench', async (home) => {
    const system = await startSystem({
      home,
      ports: 'free',
      env: {},
      progress: () => undefined,
      temporalInMemory: true,
    });
    try {
      const few = await makeAccount(system, 'Few', RECIPIENTS, SEGMENTS_PER_SECOND);
      options.progress(`Importing ${options.rows ?? CROWD} contacts`);
      const many = await makeAccount(system, 'Many', options.rows ?? CROWD, null);
      const measured = await measurePairs(
        { ours: () => beside(many, few), theirs: () => sendFew(few) },
        options.progress,
      );
      const fellows = { ...few, listId: await importFellows(few) };
      const shared = await measurePairs(
        { ours: () => beside(fellows, few), theirs: () => sendFew(few) },
        options.progress,
      );
      const parent = await makeParent(system);
      const family = await makeFamily(parent, few, many);
      const siblings = await measurePairs(
        { ours: () => sendToFamily(family), theirs: () => sendFew(few) },
        options.progress,
      );
      return [
        {
          bench: `fairness: ${RECIPIENTS} at ${SEGMENTS_PER_SECOND} a second beside ${options.rows ?? CROWD} unpaced`,
          yardstick: 'the same alone',
          ...measured,
          unit: 'ms',
          bar: `at most ${RATIO_MAX} times`,
          holds: measured.ratio.median <= RATIO_MAX,
        },
        {
          bench: `fairness: ${RECIPIENTS} beside ${FELLOWS} of another campaign of the same sender`,
          yardstick: 'the same alone',
          ...shared,
          unit: 'ms',
          bar: `at most ${SHARE_RATIO_MAX} times`,
          holds: shared.ratio.median <= SHARE_RATIO_MAX,
        },
        {
          bench: `fairness: ${RECIPIENTS} of a sub-account beside ${options.rows ?? CROWD} of another in one central campaign`,
          yardstick: 'the same alone',
          ...siblings,
          unit: 'ms',
          bar: `at most ${RATIO_MAX} times`,
          holds: siblings.ratio.median <= RATIO_MAX,
        },
      ];
    } finally {
      await system.stop();
    }
  });
}

/** Milliseconds from the launch to the last text. */
async function sendFew(few: Sending): Promise<number> {
  const id = await launch(few);
  const done = await waitFor(few, id, ({ messages }) => messages[0]?.status === 'sent');
  if (done.report.accepted !== RECIPIENTS) throw new Error(`${done.report.accepted} texts were taken.`);
  return Date.parse(done.messages[0]?.endedAt ?? '') - Date.parse(done.launchedAt ?? '');
}

/** The same while a crowd is being texted from before the launch until after the last text. */
async function beside(many: Sending, few: Sending): Promise<number> {
  const id = await launch(many);
  await waitFor(many, id, ({ report }) => report.accepted > 0);
  const ms = await sendFew(few);
  const crowd = await many.api.get<CampaignBody>(`/v1/campaigns/${id}`);
  if (crowd.status !== 'sending') {
    throw new Error(
      `The crowd is ${crowd.status} after ${crowd.report.accepted} texts ${crowd.statusReasons.map((one) => one.code).join()}: give more rows.`,
    );
  }
  await many.api.post(`/v1/campaigns/${id}/abort`, {});
  await waitFor(many, id, ({ status }) => status === 'aborted');
  return ms;
}

async function launch({ api, senderId, personId, listId }: Sending): Promise<string> {
  const { id } = await api.post<CampaignBody>('/v1/campaigns', {
    name: `Campaign ${performance.now()}`,
    senderId,
    ownerId: personId,
    listIds: [listId],
    purpose: 'informational',
    acknowledgement: ACKNOWLEDGEMENT,
  });
  await api.post(`/v1/campaigns/${id}/messages`, { text: 'Hi {{firstName}}, we open at nine today.' });
  await api.post(`/v1/campaigns/${id}/launch`, { start: 'now' });
  return id;
}

function waitFor(
  { api }: Sending,
  id: string,
  isIt: (campaign: CampaignBody) => boolean,
): Promise<CampaignBody> {
  return until(() => api.get<CampaignBody>(`/v1/campaigns/${id}`), isIt, PATIENCE_MS);
}

async function makeAccount(
  { urls, firstKeys }: System,
  name: string,
  contacts: number,
  segmentsPerSecond: number | null,
): Promise<Sending> {
  if (firstKeys === null || urls.sandbox === undefined) throw new Error('The system is not a fresh one.');
  // Short codes, one for each account; the sandbox takes their texts as fast as they come.
  const address = segmentsPerSecond === null ? '24365' : '36524';
  const place = { apiUrl: urls.api, operatorKey: firstKeys.operatorKey };
  const account = await makeSendingAccount(place, {
    name,
    senderName: name,
    sender: { address, segmentsPerSecond },
  });
  const { api, operator, carrierAccountId, senderId, personId } = account;
  await operator.patch(`/v1/carrier-accounts/${carrierAccountId}`, { requestsMax: 0 });
  await takeLimitsAway(createApiClient(urls.sandbox, ''), address);
  const listId = await importList(api, 'Everybody', someNumbers(contacts), PATIENCE_MS);
  return { account, api, senderId, personId, listId };
}

/** Its own number texts nobody. */
function makeParent({ urls, firstKeys }: System): Promise<SendingAccount> {
  if (firstKeys === null) throw new Error('The system is not a fresh one.');
  const place = { apiUrl: urls.api, operatorKey: firstKeys.operatorKey };
  return makeSendingAccount(place, { name: 'Parent', senderName: 'Parent', sender: { address: '36525' } });
}

function importFellows({ api }: Sending): Promise<string> {
  return importList(api, 'Fellows', numbersOf(FELLOWS_AREA, FELLOWS), PATIENCE_MS);
}

function someNumbers(count: number): string[] {
  const areas = AREAS.slice(0, Math.ceil(count / NUMBERS_OF_AREA));
  const numbers = areas.flatMap((area) => numbersOf(area, NUMBERS_OF_AREA)).slice(0, count);
  if (numbers.length < count) throw new Error('There are no numbers for so many rows.');
  return numbers;
}
