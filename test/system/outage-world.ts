import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { waitThroughChaos } from '../../chaos/wait-through-chaos.ts';
import { until } from '../../dev/until.ts';
import { type CampaignBody, numbers, startSystemWorld, type SystemWorld } from './system-world.ts';
import type { TestSystemOptions } from './test-system.ts';

/** An answer of the API, be it a problem. */
export interface Answer {
  readonly status: number;
  readonly retryAfterS: number;
  readonly body: { readonly code?: string; readonly detail?: string; readonly id?: string };
}

/** A world whose database is about to be in trouble, beside the carrier's own ledger. */
export interface OutageWorld {
  readonly world: SystemWorld;
  /** Asks once and takes whatever is answered. */
  readonly ask: (method: 'GET' | 'POST', path: string, body?: unknown, orderKey?: string) => Promise<Answer>;
  /** Makes a list of everybody in this area. */
  readonly everybodyIn: (area: string) => Promise<string>;
  /** Launches a campaign to everybody in this area and resolves in the middle of it. */
  readonly launchInto: (area: string) => Promise<CampaignBody>;
  /** Waits until it has ended, and holds it to the ledger: nobody twice, nobody forgotten. */
  readonly expectWhole: (campaignId: string, area: string) => Promise<CampaignBody>;
  /** How many texts the carrier has taken for this area. */
  readonly textsInto: (area: string) => Promise<number>;
  /** What a part has logged so far. */
  readonly logOf: (slug: string) => Promise<string>;
  /** The processes of API and worker. */
  readonly processes: () => readonly (number | undefined)[];
}

/** How many are in an area. */
export const RECIPIENTS = 400;
/** Slow enough that what happens to the database happens in the middle, whatever the machine's speed. */
const SLOWLY = 20;
/** What is left afterwards need not take its time. */
const FAST = 1_000;

/** Starts a whole system on a PostgreSQL of its own. */
export async function startOutageWorld(options: TestSystemOptions = {}): Promise<OutageWorld> {
  const world = await startSystemWorld({ ...options, postgres: 'own' });
  const { api } = world;
  const { urls } = world.system.current();
  // However long it takes on a busy machine: a report that was refused is sent again.
  const reports = Buffer.from(
    JSON.stringify({ retryDelaysMs: [500, 1_000, ...Array.from({ length: 18 }, () => 4_000)] }),
  );
  await world.sandbox.send('PUT', '/sandbox/settings', reports, 'application/json');
  const setPace = (segmentsPerSecond: number): Promise<unknown> =>
    api.patch(`/v1/senders/${world.senderId}`, { segmentsPerSecond });
  const scopes = ['read', 'write', 'send'];
  const { key } = await api.post<{ key: string }>('/v1/keys', { name: 'Outages', scopes });

  const everybodyIn = (area: string): Promise<string> => world.list(area, numbers(RECIPIENTS, area));
  const textedIn = async (area: string): Promise<string[]> =>
    (await world.ledger()).map(({ dst }) => dst).filter((dst) => dst.startsWith(`+1${area}`));
  return {
    world,
    ask: async (method, path, body, orderKey) => {
      const response = await fetch(`${urls.api}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(orderKey === undefined ? {} : { 'idempotency-key': orderKey }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const retryAfterS = Number(response.headers.get('retry-after') ?? 0);
      return { status: response.status, retryAfterS, body: (await response.json()) as Answer['body'] };
    },
    everybodyIn,
    launchInto: async (area) => {
      await setPace(SLOWLY);
      const draft = await world.draft(`Area ${area}`, await everybodyIn(area), ['Hi {{firstName}}']);
      await api.post(`/v1/campaigns/${draft.id}/launch`, { start: 'now' });
      await until(
        () => textedIn(area),
        (texted) => texted.length >= RECIPIENTS / 20,
      );
      return draft;
    },
    expectWhole: async (campaignId, area) => {
      await waitThroughChaos(
        () => setPace(FAST),
        () => true,
      );
      // Until the last report is in, which proves what nobody had written down.
      const ended = await waitThroughChaos(
        () => world.campaign(campaignId),
        ({ status, report }) => status === 'finished' && report.delivered === report.accepted,
      );
      const { report } = ended;
      expect(report.recipients).toBe(RECIPIENTS);
      expect(report.accepted + report.unknown, 'nobody forgotten').toBe(RECIPIENTS);
      const texted = await textedIn(area);
      expect(new Set(texted).size, 'nobody twice').toBe(texted.length);
      expect(texted, 'whom the carrier has taken').toHaveLength(report.accepted);
      return ended;
    },
    textsInto: async (area) => (await textedIn(area)).length,
    logOf: (slug) => readFile(join(world.system.home, 'logs', `${slug}.log`), 'utf8'),
    processes: () => (['api', 'worker'] as const).map((name) => world.system.current().part(name).pid()),
  };
}

/** Whether the API has refused with this problem, and says when to come back and how to mend it. */
export function expectRefused(answer: Answer, code: string): void {
  expect(answer).toMatchObject({ status: 503, body: { code } });
  expect(answer.retryAfterS).toBeGreaterThan(0);
  expect(answer.body.detail).toContain('Idempotency-Key');
}
