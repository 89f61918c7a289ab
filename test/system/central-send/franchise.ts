import { isDeepStrictEqual } from 'node:util';
import { textHash } from '../../../carrier/sandbox/ledger.ts';
import { type ApiClient, createApiClient } from '../../../dev/demo/api-client.ts';
import { importList, takeLimitsAway } from '../../../dev/sending-account.ts';
import { until } from '../../../dev/until.ts';
import { toLocal } from '../../../domain/zoned-time.ts';
import { type CampaignBody, numbers, startSystemWorld, type SystemWorld } from '../system-world.ts';
import { createCentralCalls, putJson } from './central-calls.ts';

/** A sub-account of the franchise. */
export interface Branch {
  readonly accountId: string;
  readonly name: string;
  readonly senderName: string;
  readonly timeZone: string;
  /** The number that it sends from. */
  readonly address: string;
  readonly senderId: string;
  /** Its list of guests. */
  readonly listId: string;
  /** With a key of its own. */
  readonly api: ApiClient;
  /** With the parent's key, which names it as Carillon-Account. */
  readonly managed: ApiClient;
}

/** A branch's own campaign, as it reads it itself. */
export interface PartBody extends CampaignBody {
  readonly kind: string;
  readonly sentBy: { readonly accountId: string; readonly name: string } | null;
}

/** A parent with four branches in four time zones, none of which has quiet hours, on a whole system. */
export type Franchise = Awaited<ReturnType<typeof openFranchise>>;

/** The same people are guests of every branch, and nobody else is. */
export const GUESTS: readonly string[] = numbers(6, '415').toSorted();

const HOUR_MS = 3_600_000;
const NO_QUIET_HOURS = { start: '00:00', end: '00:00' };
const BRANCHES = {
  portland: { name: 'Portland', timeZone: 'America/New_York', address: '30101' },
  reno: { name: 'Reno', timeZone: 'America/Los_Angeles', address: '30102' },
  tahoe: { name: 'Tahoe', timeZone: 'America/Denver', address: '30103' },
  hilo: { name: 'Hilo', timeZone: 'Pacific/Honolulu', address: '30104' },
} as const;
/** The parent's own number: tests go out from it, and nothing of a central campaign. */
export const PARENTS_ADDRESS = '24365';

/** Starts a system, and sets up a parent that may send centrally with its branches, as the parent itself would. */
export async function openFranchise() {
  const world = await startSystemWorld();
  try {
    return await setUp(world);
  } catch (error) {
    await world.stop();
    throw error;
  }
}

async function setUp(world: SystemWorld) {
  const { urls, firstKeys } = world.system.current();
  const operatorOf = (accountId: string): ApiClient =>
    createApiClient(urls.api, firstKeys?.operatorKey ?? '', { 'carillon-account': accountId });
  const keyOf = async (accountId: string): Promise<string> => {
    const body = { name: 'Scenario', scopes: ['read', 'write', 'send', 'reports'] };
    return (await operatorOf(accountId).post<{ key: string }>('/v1/keys', body)).key;
  };
  const parentKey = await keyOf(world.accountId);
  const parent = createApiClient(urls.api, parentKey);
  await putJson(world.operator, `/v1/accounts/${world.accountId}/central-send`, { enabled: true });

  const openBranch = async ({ name, timeZone, address }: (typeof BRANCHES)[keyof typeof BRANCHES]) => {
    const senderName = `Harbour ${name}`;
    const { id: accountId } = await parent.post<{ id: string }>('/v1/sub-accounts', {
      name,
      timeZone,
      senderName,
      defaultCountry: 'US',
      quietHours: NO_QUIET_HOURS,
    });
    const managed = createApiClient(urls.api, parentKey, { 'carillon-account': accountId });
    const sender = { address, type: 'short_code', registration: 'approved', supportsMms: true };
    const { id: senderId } = await managed.post<{ id: string }>('/v1/senders', sender);
    await takeLimitsAway(world.sandbox, address);
    const listId = await importList(managed, 'Guests', GUESTS);
    const api = createApiClient(urls.api, await keyOf(accountId));
    const branch: Branch = { accountId, name, senderName, timeZone, address, senderId, listId, api, managed };
    return branch;
  };
  const [portland, reno, tahoe, hilo] = await Promise.all([
    openBranch(BRANCHES.portland),
    openBranch(BRANCHES.reno),
    openBranch(BRANCHES.tahoe),
    openBranch(BRANCHES.hilo),
  ]);
  const branches = { portland, reno, tahoe, hilo };
  const all: readonly Branch[] = Object.values(branches);
  const central = createCentralCalls(parent, world.personId);
  /** The campaign that the branch itself has for a central one; null until it is handed over. */
  const ownPart = async ({ accountId, api }: Branch, id: string): Promise<PartBody | null> => {
    const part = (await central.parts(id)).find((one) => one.accountId === accountId);
    return part === undefined || part.campaignId === null
      ? null
      : api.get<PartBody>(`/v1/campaigns/${part.campaignId}`);
  };
  return {
    world,
    parent,
    branches,
    all,
    ...central,
    /** A list of the branch's with these people, which the parent makes; its id. */
    list: ({ managed }: Branch, name: string, people: readonly string[]) => importList(managed, name, people),
    ownPart,
    /** The campaigns that the branches have for a central one, as each reads its own; without those still to come. */
    ownParts: async (id: string): Promise<readonly PartBody[]> =>
      (await Promise.all(all.map((branch) => ownPart(branch, id)))).filter((part) => part !== null),
    /** A new account that nobody has set up for anything, with its own key. */
    openStranger: async (name: string) => {
      const settings = { name, timeZone: 'America/New_York', senderName: name, defaultCountry: 'US' };
      const { id } = await world.operator.post<{ id: string }>('/v1/accounts', settings);
      return { accountId: id, api: createApiClient(urls.api, await keyOf(id)) };
    },
    /** Who got exactly this text from the branch's number, as the carrier's ledger tells, as often as they got it. */
    texted: async ({ address }: Pick<Branch, 'address'>, text: string): Promise<string[]> => {
      const wanted = textHash(text);
      return (await world.ledger())
        .filter((line) => line.src === address && line.sha256 === wanted)
        .map((line) => line.dst)
        .toSorted();
    },
    /** Waits until the parent sees its branches' parts in these states, by their names, with reasons where there are any. */
    stands: (id: string, wanted: Readonly<Record<string, string>>) =>
      until(
        () => central.states(id),
        (states) => isDeepStrictEqual(states, { ...wanted }),
      ),
  };
}

/** The hours around this moment in a zone, from so many before to so many after it, as quiet hours. */
export function hoursAround(timeZone: string, before = 2, after = 2): { start: string; end: string } {
  const hour = (hours: number): string => toLocal(Date.now() + hours * HOUR_MS, timeZone).slice(11, 16);
  return { start: hour(-before), end: hour(after) };
}

/** A schedule so many hours from now. */
export function inHours(hours: number, zone = 'America/New_York'): { local: string; zone: string } {
  return { local: toLocal(Date.now() + hours * HOUR_MS, zone), zone };
}
