import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../dev/until.ts';
import { numbers, startSystemWorld, type SystemWorld } from './system-world.ts';

const RECIPIENTS = 300;

let world: SystemWorld;
beforeAll(async () => {
  world = await startSystemWorld({});
});
afterAll(async () => {
  await world.stop();
});

describe('a worker that is asked to stop while it sends', () => {
  it('ends with what it has leased: nobody is left unknown, and the next worker goes on', async () => {
    const worker = world.system.current().part('worker');
    // Slow enough that it is asked in the middle, whatever the machine's speed.
    await world.api.patch(`/v1/senders/${world.senderId}`, { segmentsPerSecond: 30 });
    const listId = await world.list('Everybody', numbers(RECIPIENTS));
    const { id } = await world.draft('Deployed over', listId, ['The same for everybody']);
    await world.api.post(`/v1/campaigns/${id}/launch`, { start: 'now' });
    await until(
      () => world.ledger(),
      (ledger) => ledger.length > 0,
    );

    await worker.stop();
    const { report } = await world.campaign(id);
    expect(report.inFlight + report.unknown, 'open when it ended').toBe(0);
    expect(report.accepted).toBeLessThan(RECIPIENTS);
    expect(report.accepted).toBe((await world.ledger()).length);

    await worker.start();
    const finished = await world.reaches(id, 'finished');
    expect(finished.report).toMatchObject({ accepted: RECIPIENTS, unknown: 0 });
    const texted = (await world.ledger()).map((line) => line.dst);
    expect(new Set(texted).size, 'nobody twice').toBe(texted.length);
  });
});
