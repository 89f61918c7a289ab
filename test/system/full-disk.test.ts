import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitThroughChaos } from '../../chaos/wait-through-chaos.ts';
import { until } from '../../dev/until.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { expectRefused, type OutageWorld, startOutageWorld } from './outage-world.ts';

let outages: OutageWorld;
let disk: SmallDisk;
beforeAll(async () => {
  outages = await startOutageWorld({
    prepare: async (home) => {
      disk = await mountSmallDisk(join(home, 'postgres'));
      return disk.unmount;
    },
  });
});
afterAll(() => outages.world.stop());

/** Orders something until there is no room for it. Resolves with how to send the refused order again. */
async function orderUntilRefused(name: string): Promise<() => ReturnType<OutageWorld['ask']>> {
  let orders = 0;
  const order = () => outages.ask('POST', '/v1/lists', { name: `${name} ${orders}` }, `${name} ${orders}`);
  const refused = await until(
    () => {
      orders += 1;
      return order();
    },
    ({ status }) => status !== 201,
  );
  expectRefused(refused, 'database-full');
  return order;
}

/** How often the worker's activities have failed. */
async function failures(): Promise<number> {
  return (await outages.logOf('worker')).split('ctivity failed').length - 1;
}

describe('a full disk of PostgreSQL', () => {
  it('is told to who orders something; a campaign that sends goes on by itself when there is room', async () => {
    const { world, launchInto, expectWhole, processes, ask } = outages;
    const before = processes();
    const { id } = await launchInto('702');
    const failedBefore = await failures();
    await disk.fill();
    const order = await orderUntilRefused('Full');
    expect((await ask('GET', `/v1/campaigns/${id}`)).status, 'what needs no room is answered').toBe(200);
    await until(failures, (count) => count > failedBefore);

    await disk.makeRoom();
    const made = await order();
    expect(made.status).toBe(201);
    expect(await order(), 'once').toEqual(made);
    await expectWhole(id, '702');
    expect(processes(), 'API and worker have lived on').toEqual(before);
    expect((await world.campaign(id)).status).toBe('finished');
  });

  it('that stops PostgreSQL itself, since it cannot log ahead, loses nothing either', async () => {
    const { world, launchInto, expectWhole, processes, ask } = outages;
    const before = processes();
    const { id } = await launchInto('617');
    await disk.fill();
    await stopForLackOfRoom(world.system.current().urls.database);
    const refused = await until(
      () => ask('POST', '/v1/lists', { name: 'Stopped' }, 'stopped'),
      ({ body }) => body.code === 'database-unavailable',
    );
    expectRefused(refused, 'database-unavailable');
    await disk.makeRoom();
    const made = await waitThroughChaos(
      () => ask('POST', '/v1/lists', { name: 'Stopped' }, 'stopped'),
      ({ status }) => status === 201,
    );
    expect(await ask('POST', '/v1/lists', { name: 'Stopped' }, 'stopped'), 'once').toEqual(made);
    await expectWhole(id, '617');
    expect(processes(), 'API and worker have lived on').toEqual(before);
  });
});

/** Has PostgreSQL begin new segments of its log until there is no room for one, which it does not survive. */
async function stopForLackOfRoom(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  for (;;) {
    const switched = await client
      .query(`select pg_logical_emit_message(false, 'fill', 'x', true), pg_switch_wal()`)
      .then(
        () => true,
        () => false,
      );
    if (!switched) break;
  }
  await ended;
  expect(await outages.logOf('postgres')).toContain('PANIC');
}
