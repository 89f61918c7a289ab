import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerLine } from '../../chaos/carrier-ledger.ts';
import { until } from '../../dev/until.ts';
import type { CrashPoint } from '../../domain/dispatch/crash-points.ts';
import { numbers, startSystemWorld, type SystemWorld } from './system-world.ts';

const POINTS: readonly CrashPoint[] = [
  'freeze.before_commit',
  'freeze.committed',
  'lane.fenced',
  'lease.before_commit',
  'lease.committed',
  'post.before',
  'post.answered',
  'record.before_commit',
  'record.committed',
];
const RECIPIENTS = 150;
/** A worker leases no more than it has request slots for. */
const SLOTS = 50;

let world: SystemWorld;
beforeAll(async () => {
  world = await startSystemWorld({});
});
afterAll(async () => {
  await world.stop();
});

const AREA_CODES = ['212', '305', '312', '415', '512', '602', '617', '702', '206'];

describe('a worker that is killed at each crash point in turn', () => {
  const campaigns = new Map<CrashPoint, string>();
  let ledger: LedgerLine[];

  beforeAll(async () => {
    const worker = world.system.current().part('worker');
    for (const [index, point] of POINTS.entries()) {
      const listId = await world.list(`List ${point}`, numbers(RECIPIENTS, AREA_CODES[index]));
      const { id } = await world.draft(`Crash ${point}`, listId, ['Hi {{firstName}}, this goes out once.']);
      campaigns.set(point, id);
    }
    for (const [point, id] of campaigns) {
      await worker.stop();
      const isLate = point.startsWith('post') || point.startsWith('record');
      await worker.start({ CARILLON_CRASH_AT: isLate ? `${point}:20` : point });
      const died = worker.ended();
      await world.api.post(`/v1/campaigns/${id}/launch`, { start: 'now' });
      await died;
    }
    // The launcher would start it again with the same crash; from here on it is a worker like any other.
    await worker.stop();
    await worker.start({});
    for (const id of campaigns.values()) {
      await world.reaches(id, 'finished');
      await until(
        () => world.campaign(id),
        ({ report }) => report.delivered === report.accepted,
      );
    }
    ledger = await world.ledger();
  });

  it.each(POINTS)('leaves nobody texted twice and nobody forgotten: %s', async (point) => {
    const { report } = await world.campaign(campaigns.get(point) ?? '');
    const area = `+1${AREA_CODES[POINTS.indexOf(point)]}`;
    const texted = ledger.filter((line) => line.dst.startsWith(area)).map((line) => line.dst);
    expect(new Set(texted).size, 'nobody twice').toBe(texted.length);
    expect(report.accepted + report.unknown, 'nobody forgotten').toBe(RECIPIENTS);
    expect(report.waiting + report.inFlight + report.deferred).toBe(0);
    // Callbacks have resolved every unknown that the carrier had accepted.
    expect(texted).toHaveLength(report.accepted);
  });

  it('leaves unknown no more than it held when it died', async () => {
    const reports = await Promise.all(
      [...campaigns.values()].map(async (id) => (await world.campaign(id)).report),
    );
    const unknown = reports.reduce((sum, report) => sum + report.unknown, 0);
    expect(unknown).toBeLessThanOrEqual(POINTS.length * SLOTS);
    expect(unknown).toBeGreaterThan(0);
  });
});
