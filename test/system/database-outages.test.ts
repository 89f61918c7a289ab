import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitThroughChaos } from '../../chaos/wait-through-chaos.ts';
import { until } from '../../dev/until.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import { expectRefused, type OutageWorld, RECIPIENTS, startOutageWorld } from './outage-world.ts';

/** As many as the API has. */
const API_CONNECTIONS = 20;
const ZONE = 'America/New_York';
const DAY_MS = 24 * 3_600_000;
/** Far enough ahead that the campaigns are asleep by then. */
const SOON_MS = 6_000;

let outages: OutageWorld;
beforeAll(async () => {
  outages = await startOutageWorld();
});
afterAll(() => outages.world.stop());

const postgres = () => outages.world.system.current().part('postgres');

/** A campaign that sleeps until its message is due. */
async function asleep(area: string, dueAt: number): Promise<string> {
  const { api, draft, reaches } = outages.world;
  const { id, messages } = await draft(`Asleep ${area}`, await outages.everybodyIn(area), ['Good morning']);
  const schedule = { local: toLocal(dueAt, ZONE), zone: ZONE };
  await api.patch(`/v1/campaigns/${id}/messages/${messages[0]?.id}`, { schedule });
  await api.post(`/v1/campaigns/${id}/launch`, { start: 'scheduled' });
  await reaches(id, 'scheduled');
  return id;
}

describe('PostgreSQL that is restarted while campaigns sleep', () => {
  it('wakes them when it is back, late or not, and loses neither them nor an order', async () => {
    const { world, ask, processes } = outages;
    const tomorrow = await asleep('212', Date.now() + DAY_MS);
    const dueAt = Date.now() + SOON_MS;
    const soon = await asleep('305', dueAt);
    const before = processes();
    await postgres().stop();
    const order = () => ask('POST', '/v1/lists', { name: 'Ordered while it was away' }, 'while-away');
    expectRefused(await order(), 'database-unavailable');
    expectRefused(await ask('GET', `/v1/campaigns/${soon}`), 'database-unavailable');
    await until(
      () => Promise.resolve(Date.now()),
      (now) => now > dueAt + 1_000,
    );
    expect(await outages.textsInto('305'), 'nobody is texted without the ledger').toBe(0);
    await postgres().start();

    const ended = await outages.expectWhole(soon, '305');
    expect(ended.report.accepted, 'all were asleep').toBe(RECIPIENTS);
    expect((await world.campaign(tomorrow)).status).toBe('scheduled');
    await world.api.post(`/v1/campaigns/${tomorrow}/pause`, {});
    await world.reaches(tomorrow, 'paused');
    expect(await outages.textsInto('212')).toBe(0);
    const made = await order();
    expect(made.status).toBe(201);
    expect(await order(), 'once').toEqual(made);
    expect(processes(), 'API and worker have lived on').toEqual(before);
  });
});

describe('PostgreSQL that is restarted while a campaign sends', () => {
  it.each([
    ['in order', '312'],
    ['after a SIGKILL', '415'],
  ])('%s: it goes on by itself, nobody is texted twice and nobody is forgotten', async (how, area) => {
    const { processes } = outages;
    const before = processes();
    const { id } = await outages.launchInto(area);
    if (how === 'in order') {
      await postgres().stop();
      await postgres().start();
    } else {
      const pid = postgres().pid();
      if (pid === undefined) throw new Error('PostgreSQL does not run.');
      process.kill(pid, 'SIGKILL');
    }
    const ended = await outages.expectWhole(id, area);
    expect(ended.report.accepted, 'it went on afterwards').toBeGreaterThan(RECIPIENTS / 2);
    expect(processes(), 'API and worker have lived on').toEqual(before);
  });
});

describe('PostgreSQL whose connections are all taken by others', () => {
  it('is a clear refusal, and campaigns go on when there are some again', async () => {
    const { launchInto, ask } = outages;
    const { id } = await launchInto('512');
    const others = await takeAllConnections(outages.world.system.current().urls.database);
    try {
      const order = await waitThroughChaos(
        () => ask('POST', '/v1/lists', { name: 'Ordered without a connection' }, 'without-a-connection'),
        ({ body }) => body.code === 'database-busy',
      );
      expectRefused(order, 'database-busy');
      expectRefused(await ask('GET', `/v1/campaigns/${id}`), 'database-busy');
    } finally {
      await Promise.all(others.map((client) => client.end()));
    }
    await outages.expectWhole(id, '512');
    const made = await ask(
      'POST',
      '/v1/lists',
      { name: 'Ordered without a connection' },
      'without-a-connection',
    );
    expect(made.status).toBe(201);
  });
});

describe('an API and a worker whose connections are all held by slow queries', () => {
  it('let nobody hang, answer who waits, and campaigns go on afterwards', async () => {
    const { launchInto, ask, world } = outages;
    const { id } = await launchInto('602');
    const blocker = new Client({ connectionString: world.system.current().urls.database });
    await blocker.connect();
    let slow: ReturnType<typeof ask>[] = [];
    try {
      await blocker.query('begin');
      await blocker.query('lock table contacts, leases in access exclusive mode');
      slow = Array.from({ length: API_CONNECTIONS }, () => ask('GET', '/v1/contacts?pageSize=1'));
      const refused = await until(
        () => ask('GET', '/v1/account'),
        ({ status }) => status !== 200,
      );
      expectRefused(refused, 'database-busy');
    } finally {
      // Its locks go with it.
      await blocker.end();
    }
    for (const answer of await Promise.all(slow)) {
      if (answer.status !== 200) expectRefused(answer, 'database-busy');
    }
    expect((await ask('GET', '/v1/contacts?pageSize=1')).status).toBe(200);
    await outages.expectWhole(id, '602');
  });
});

/** Takes every connection that PostgreSQL has, those of our own processes too. */
async function takeAllConnections(databaseUrl: string): Promise<Client[]> {
  const taken: Client[] = [];
  for (;;) {
    const client = new Client({ connectionString: databaseUrl, application_name: 'others' });
    client.on('error', () => undefined);
    const isRefused = await client.connect().then(
      () => false,
      () => true,
    );
    const [first] = taken;
    if (!isRefused) taken.push(client);
    else if (first === undefined) throw new Error('There was no connection to take.');
    else {
      const { rowCount } = await first.query(
        `select pg_terminate_backend(pid, 10000) from pg_stat_activity
         where backend_type = 'client backend' and application_name <> 'others'`,
      );
      if (rowCount === 0) return taken;
    }
  }
}
