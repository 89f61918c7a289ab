import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../dev/until.ts';
import type { CrashPoint } from '../../domain/dispatch/crash-points.ts';
import { numbers, startSystemWorld, type SystemWorld } from './system-world.ts';

const RECIPIENTS = 80;

let world: SystemWorld;
beforeAll(async () => {
  world = await startSystemWorld();
});
afterAll(async () => {
  await world.stop();
});

/** Starts the API anew so that it dies at a point. Resolves with how to start it as one like any other. */
async function letApiDieAt(point: CrashPoint, times = 1) {
  const api = world.system.current().part('api');
  await api.stop();
  await api.start({ CARILLON_CRASH_AT: `${point}:${times}` });
  const died = api.ended();
  return {
    died,
    revive: async () => {
      await died;
      await api.stop();
      await api.start({});
    },
  };
}

test('a pause whose answer was lost with the API holds all the same', async () => {
  // Far slower than the requests that follow, so that somebody is left to be held back.
  await world.api.patch(`/v1/senders/${world.senderId}`, { segmentsPerSecond: 2 });
  const { revive } = await letApiDieAt('hold.committed');
  const listId = await world.list('Paused', numbers(RECIPIENTS, '212'));
  const { id } = await world.draft('Paused', listId, ['Hi {{firstName}}']);
  await world.api.post(`/v1/campaigns/${id}/launch`, { start: 'now' });
  await until(
    () => world.campaign(id),
    ({ report }) => report.accepted > 0,
  );

  await expect(world.api.post(`/v1/campaigns/${id}/pause`, {})).rejects.toThrow('fetch failed');
  await revive();

  const held = await until(
    () => world.campaign(id),
    ({ report }) => report.inFlight === 0,
  );
  expect(held.status).toBe('paused');
  expect(held.report.waiting + held.report.deferred).toBeGreaterThan(0);
  await world.api.patch(`/v1/senders/${world.senderId}`, { segmentsPerSecond: null });
  await world.api.post(`/v1/campaigns/${id}/resume`, {});
  const { report } = await world.reaches(id, 'finished');
  expect(report.accepted).toBe(RECIPIENTS);
  const texted = (await world.ledger()).map((line) => line.dst).filter((to) => to.startsWith('+1212'));
  expect(new Set(texted).size).toBe(texted.length);
});

test.each([
  ['report.before_commit', '305'],
  ['report.committed', '312'],
] as const)(
  'reports that were lost with the API count once when the carrier repeats them: %s',
  async (point, area) => {
    const listId = await world.list(point, numbers(RECIPIENTS, area));
    const { id } = await world.draft(point, listId, ['Hi {{firstName}}']);
    const { revive } = await letApiDieAt(point, 3);
    await world.api.post(`/v1/campaigns/${id}/launch`, { start: 'now' });
    await revive();
    const { report } = await until(
      () => world.campaign(id),
      (campaign) => campaign.status === 'finished' && campaign.report.delivered === RECIPIENTS,
    );
    expect(report.accepted).toBe(RECIPIENTS);
    expect(report.unknown + report.waiting + report.inFlight + report.deferred).toBe(0);
  },
);
