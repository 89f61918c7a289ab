import { randomBytes } from 'node:crypto';
import { type Migration, sql } from 'kysely';
import { Client } from 'pg';
import { expect, inject, test } from 'vitest';
import { migrateToLatest } from '../../db/migrate.ts';
import { MIGRATIONS } from '../../db/migrations/index.ts';
import { openApiWorld } from './api-world.ts';

const makes = (table: string): Migration => ({
  up: async (db) => {
    await sql`create table ${sql.id(table)} (id integer)`.execute(db);
  },
});

test('a database that has a later migration already is given an earlier one that came after it', async () => {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const admin = new Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(`create database ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  try {
    const [first, second, third] = [makes('first'), makes('second'), makes('third')];
    expect(await migrateToLatest(url.href, { '1': first, '3': third })).toEqual(['1', '3']);
    expect(await migrateToLatest(url.href, { '1': first, '2': second, '3': third })).toEqual(['2']);
    expect(await migrateToLatest(url.href, { '1': first, '2': second, '3': third })).toEqual([]);
  } finally {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.end();
  }
});

test('an API is ready only when its database lacks no migration, be it an earlier one', async () => {
  const world = await openApiWorld();
  const names = Object.keys(MIGRATIONS);
  const ready = () => world.mine.call('GET', '/ready');
  expect(await ready()).toMatchObject({ status: 200, body: { schema: names.at(-1) } });
  for (const lacking of [names.at(-1), names.at(-2)]) {
    await world.owner.query('delete from kysely_migration where name = $1', [lacking]);
    const reply = await ready();
    expect(reply).toMatchObject({ status: 503, body: { code: 'not-ready' } });
    expect(reply.body['detail']).toContain(lacking);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  await world.close();
});
