import type { ApiClient } from '../../../dev/demo/api-client.ts';
import { until } from '../../../dev/until.ts';
import { ACKNOWLEDGEMENT } from '../../../domain/launch-check.ts';
import { toLocal } from '../../../domain/zoned-time.ts';
import type { CampaignBody } from '../system-world.ts';

const ZONE = 'America/New_York';

/** What tests read of a central campaign. */
export interface CentralBody extends Omit<CampaignBody, 'report' | 'messages'> {
  readonly kind: string;
  readonly report: null;
  readonly spent: null;
  readonly audience: { readonly recipients: number | null };
  readonly central: {
    readonly presetId: string | null;
    readonly accounts: number;
    readonly states: Readonly<Record<string, number>>;
  };
  readonly messages: readonly (Omit<CampaignBody['messages'][number], 'report'> & {
    readonly report: null;
  })[];
}

/** A sub-account's part as its parent sees it. */
export interface PartLine {
  readonly accountId: string;
  readonly name: string | null;
  readonly campaignId: string | null;
  readonly state: string;
  readonly reason: { readonly code: string; readonly message: string } | null;
}

/** A review of a central campaign. */
export interface CentralReview {
  readonly token: string | null;
  readonly recipients: number;
  readonly refusals: readonly { readonly pointer: string; readonly code: string; readonly message: string }[];
  readonly central: {
    readonly accounts: number;
    readonly lists: number;
    readonly ready: number;
    readonly faulty: number;
    readonly waiting: number;
  };
}

/** How the API refuses something. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly pointer: string }[];
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly total: number;
}

/** What a parent does and asks on the way from a preset to its end, with its own key. */
export function createCentralCalls(parent: ApiClient, ownerId: string) {
  const campaign = (id: string) => parent.get<CentralBody>(`/v1/campaigns/${id}`);
  const review = (id: string, start: 'now' | 'scheduled') =>
    parent.post<CentralReview>(`/v1/campaigns/${id}/review`, { start });
  const parts = async (id: string) =>
    (await parent.get<Page<PartLine>>(`/v1/campaigns/${id}/accounts?pageSize=200`)).items;
  return {
    campaign,
    review,
    /** The accounts as the parent sees them. */
    parts,
    /** The same as one word for each by its name, with the reason where there is one. */
    states: async (id: string): Promise<Record<string, string>> =>
      Object.fromEntries(
        (await parts(id)).map(({ name, state, reason }) => [
          name ?? 'gone',
          reason === null ? state : `${state} ${reason.code}`,
        ]),
      ),
    /** A preset of these accounts and lists; its id. */
    preset: async (
      name: string,
      pairs: readonly { readonly accountId: string; readonly listId: string }[],
    ): Promise<string> => {
      const { id } = await parent.post<{ id: string }>('/v1/presets', { name });
      const named = pairs.map(({ accountId, listId }) => ({ accountId, listId }));
      await parent.post(`/v1/presets/${id}/pairs`, { pairs: named });
      return id;
    },
    /** A central draft with everything that a launch needs, with one message. */
    draft: async (name: string, presetId: string, text: string): Promise<CentralBody> => {
      const { id } = await parent.post<CentralBody>('/v1/campaigns', {
        kind: 'central',
        name,
        presetId,
        ownerId,
        purpose: 'marketing',
        acknowledgement: ACKNOWLEDGEMENT,
      });
      return parent.post<CentralBody>(`/v1/campaigns/${id}/messages`, { text });
    },
    /** Gives a draft's first message a schedule. */
    schedule: ({ id, messages }: CentralBody, schedule: unknown) =>
      parent.patch<CentralBody>(`/v1/campaigns/${id}/messages/${messages[0]?.id}`, { schedule }),
    /** Reviews it and confirms what was seen. */
    launch: async (id: string, start: 'now' | 'scheduled'): Promise<void> => {
      const { token, refusals } = await review(id, start);
      if (token === null) throw new Error(`The review refuses it: ${JSON.stringify(refusals)}.`);
      await parent.post(`/v1/campaigns/${id}/launch`, { start, reviewToken: token });
    },
    act: (id: string, name: string, body: unknown = {}) =>
      parent.post<{ state: string }>(`/v1/campaigns/${id}/${name}`, body),
    /** Moves the first message of a launched campaign to the nearest moment that has not passed when the order arrives. */
    bringForward: async ({ id, messages }: Pick<CentralBody, 'id' | 'messages'>): Promise<void> => {
      for (let leadMs = 2_000; ; leadMs *= 2) {
        const schedule = { local: toLocal(Date.now() + leadMs, ZONE), zone: ZONE };
        const order = { messages: [{ messageId: messages[0]?.id, schedule }] };
        const refusal = await parent.post(`/v1/campaigns/${id}/reschedule`, order).then(() => null, wordsOf);
        if (refusal === null) return;
        if (!refusal.includes('schedule-past')) throw new Error(refusal);
      }
    },
    reaches: (id: string, ...statuses: readonly string[]) =>
      until(
        () => campaign(id),
        ({ status }) => statuses.includes(status),
      ),
  };
}

/** Puts JSON. */
export function putJson<Body>(api: ApiClient, path: string, body: unknown): Promise<Body> {
  return api.send<Body>('PUT', path, Buffer.from(JSON.stringify(body)), 'application/json');
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** How a call that has to be refused is refused. Throws an Error when it is not. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  const answer = await call.then(() => null, wordsOf);
  const [, status, body] = /answered (\d+): (.*)$/s.exec(answer ?? '') ?? [];
  if (status === undefined || body === undefined) throw new Error(`It was not refused: ${answer ?? 'done'}.`);
  // The API's own schema has checked the problem.
  return { ...(JSON.parse(body) as Refusal), status: Number(status) };
}

/** The same in a word: its status and code. */
export async function refused(call: Promise<unknown>): Promise<string> {
  const { status, code } = await refusalOf(call);
  return `${status} ${code}`;
}
