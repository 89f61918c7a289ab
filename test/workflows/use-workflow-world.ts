import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll } from 'vitest';
import { toLocal } from '../../domain/zoned-time.ts';
import { startTimeSkippingServer } from '../support/time-skipping-server.ts';
import { createWorkflowWorld, type WorkflowWorld } from './workflow-world.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** The zone of seeded accounts. */
export const ZONE = 'America/New_York';

/** A world that a test file builds before its tests and ends after them. */
export function useWorkflowWorld(options: Parameters<typeof createWorkflowWorld>[2] = {}) {
  let world: WorkflowWorld | undefined;
  let teardown: (() => Promise<void>) | undefined;
  const current = (): WorkflowWorld => {
    if (world === undefined) throw new Error('The world is not built yet.');
    return world;
  };
  beforeAll(async () => {
    const env = await startTimeSkippingServer();
    teardown = () => env.teardown();
    const bundle = await bundleWorkflowCode({
      workflowsPath: new URL('../../workflows/index.ts', import.meta.url).pathname,
      logger: new DefaultLogger('ERROR'),
    });
    world = await createWorkflowWorld(env, bundle, options);
  });
  afterAll(async () => {
    await world?.close();
    await teardown?.();
  });
  return {
    world: current,
    /** Passes to the next time this hour strikes in New York, and forgets earlier texts. Resolves with that instant. */
    strike: async (hour: number): Promise<number> => {
      const local = toLocal(await current().now(), ZONE);
      const sinceMidnight =
        Number(local.slice(11, 13)) * HOUR_MS +
        Number(local.slice(14, 16)) * 60_000 +
        Number(local.slice(17, 19)) * 1_000;
      const left = (hour * HOUR_MS - sinceMidnight + DAY_MS) % DAY_MS;
      await current().pass(left === 0 ? DAY_MS : left);
      current().texts.length = 0;
      current().answer = () => ({ kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] });
      return current().now();
    },
  };
}

/** The wall-clock schedule of an instant in New York. */
export function at(instant: number): { local: string; zone: string } {
  return { local: toLocal(instant, ZONE), zone: ZONE };
}

/** The next ten o'clock in New York, from a ten o'clock on, before a night in which clocks move so far forward. */
export function eveOfChange(from: number, shiftMs: number): number {
  const aheadAt = (instant: number): number => Date.parse(`${toLocal(instant, ZONE)}Z`) - instant;
  for (let day = 0; day < 366; day += 1) {
    const morning = from + day * DAY_MS + (aheadAt(from) - aheadAt(from + day * DAY_MS));
    if (aheadAt(morning + DAY_MS) - aheadAt(morning) === shiftMs) return morning;
  }
  throw new Error('No change within a year.');
}
