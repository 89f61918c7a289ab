import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Db, openPipelinedDatabase } from '../../db/database.ts';
import { until } from '../../dev/until.ts';
import { type ApiWorld, type Caller, openApiWorld, type Reply } from './api-world.ts';

let world: ApiWorld;
let databaseUrl: string;
const handles: Db[] = [];
beforeAll(async () => {
  world = await openApiWorld();
  const { rows } = await world.owner.query<{ name: string }>('select current_database() as name');
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${rows[0]?.name}`;
  databaseUrl = url.href;
});
afterAll(async () => {
  for (const handle of handles) await handle.destroy();
  await world.close();
});

/** An API with connections of its own. */
async function apiWith(options: Omit<Parameters<typeof openPipelinedDatabase>[0], 'role'>): Promise<Caller> {
  const handle = openPipelinedDatabase({ ...options, role: 'carillon_app' });
  handles.push(handle);
  return (await world.openAnother(undefined, handle))(world.mine.key);
}

function expectToldWhen(reply: Reply, code: string): void {
  expect(reply).toMatchObject({ status: 503, type: 'application/problem+json', body: { code } });
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(reply.body['detail']).toContain('Idempotency-Key');
}

describe('an API whose database', () => {
  it('cannot be reached says so, when to come back and how to mend it', async () => {
    const unreachable = new URL(databaseUrl);
    // Nobody can listen on it.
    unreachable.port = '1';
    const call = await apiWith({ connectionString: unreachable.href, connectionsMax: 1 });
    expectToldWhen(await call('GET', '/v1/lists'), 'database-unavailable');
    expectToldWhen(await call('POST', '/v1/lists', { body: { name: 'Nowhere' } }), 'database-unavailable');
    expect((await call('GET', '/health')).status).toBe(200);
    expect((await call('GET', '/ready')).body).toMatchObject({ code: 'not-ready' });
  });

  it('takes no further connection says so', async () => {
    const limited = `limited_${handles.length}`;
    const { owner } = world;
    await owner.query(`create role ${limited} login password 'limited' connection limit 0`);
    await owner.query(`grant carillon_app to ${limited}`);
    const url = new URL(databaseUrl);
    url.username = limited;
    url.password = 'limited';
    const call = await apiWith({ connectionString: url.href, connectionsMax: 1 });
    expectToldWhen(await call('GET', '/v1/lists'), 'database-busy');
    await owner.query(`alter role ${limited} connection limit 1`);
    expect((await call('GET', '/v1/lists')).status).toBe(200);
  });

  it('is kept busy by slow queries on every connection lets nobody hang, and loses nothing', async () => {
    const call = await apiWith({ connectionString: databaseUrl, connectionsMax: 2, waitMs: 100 });
    const { owner } = world;
    await owner.query('begin');
    await owner.query('lock table lists in access exclusive mode');
    // One whose connection takes too long to open is refused as well; it asks again until it has one to keep busy.
    const read = () =>
      until(
        () => call('GET', '/v1/lists'),
        ({ status }) => status === 200,
      );
    const slow = [read(), read()];
    const headers = { 'idempotency-key': 'while-busy' };
    const order = () =>
      call('POST', '/v1/people', { headers, body: { name: 'Busy', address: 'b@example.com' } });
    const refused = await until(order, (reply) => reply.status !== 201);
    expectToldWhen(refused, 'database-busy');
    await owner.query('commit');
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await order()).status).toBe(201);
  });

  it('has locked what an order would change says so after a while, and takes the order when it is free', async () => {
    const call = await apiWith({ connectionString: databaseUrl, connectionsMax: 1, lockWaitMs: 100 });
    const { owner } = world;
    const { body: list } = await call('POST', '/v1/lists', { body: { name: 'Locked' } });
    const order = () => call('PATCH', `/v1/lists/${String(list['id'])}`, { body: { name: 'Free' } });
    await owner.query('begin');
    await owner.query('select from lists where id = $1 for update', [list['id']]);
    expectToldWhen(await order(), 'database-busy');
    await owner.query('rollback');
    expect(await order()).toMatchObject({ status: 200, body: { name: 'Free' } });
  });

  it('has no room left on its disk says so, and the same order is carried out once when there is', async () => {
    const { owner, mine } = world;
    // A trigger in place of a disk: test/system/full-disk.test.ts fills one.
    await owner.query(`
      create function no_room() returns trigger language plpgsql as
        $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$;
      create trigger no_room before insert on lists for each row execute function no_room()`);
    const order = () =>
      mine.call('POST', '/v1/lists', {
        headers: { 'idempotency-key': 'while-full' },
        body: { name: 'Full' },
      });
    expectToldWhen(await order(), 'database-full');
    await owner.query('drop trigger no_room on lists');
    const made = await order();
    expect(made.status).toBe(201);
    expect((await order()).body).toEqual(made.body);
    const { rows } = await owner.query(`select 1 from lists where name = 'Full'`);
    expect(rows).toHaveLength(1);
  });
});
